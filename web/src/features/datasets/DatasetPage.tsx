import { Button, Pagination, Skeleton, Title } from '@mantine/core'
import { getRouteApi, Link } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { reasonOf } from '../../api/client'
import { useDataset } from '../../api/dataset'
import { datasetFile } from '../../api/datasets'
import { useRequests } from '../../api/requests'
import { bytes, count, moment } from '../../ui/format'
import { Icon } from '../../ui/Icon'
import { Metric, Metrics } from '../../ui/Metric'
import { PageHead } from '../../ui/PageHead'
import { Problem } from '../../ui/Problem'
import { RequestList } from './RequestList'

const ImportResults = lazy(() => import('./ImportResults'))
const route = getRouteApi('/datasets/$id')
const PAGE_ROWS = 20

/** A dataset's requests as they were uploaded. */
export function DatasetPage(): React.JSX.Element {
  const { id } = route.useParams()
  const { page = 0, row } = route.useSearch()
  const navigate = route.useNavigate()
  const dataset = useDataset(id)
  const [importing, setImporting] = useState(false)
  const requests = useRequests(id, PAGE_ROWS, page * PAGE_ROWS)
  const error = dataset.error ?? requests.error

  if (error && !dataset.data) {
    return <Problem title="This dataset could not be read" message={reasonOf(error)} />
  }
  const pages = Math.ceil((requests.data?.total ?? 0) / PAGE_ROWS)
  return (
    <>
      <PageHead
        title={dataset.data?.name ?? 'Dataset'}
        actions={
          <>
            <Button
              variant="default"
              component="a"
              href={datasetFile(id)}
              download={dataset.data?.name ?? true}
              leftSection={<Icon name="download" />}
            >
              Download
            </Button>
            <Button
              variant="default"
              leftSection={<Icon name="upload" />}
              disabled={!dataset.data}
              onClick={() => {
                setImporting(true)
              }}
            >
              Import results
            </Button>
            <Button
              leftSection={<Icon name="play" />}
              renderRoot={(props) => <Link to="/runner" search={{ dataset: id }} {...props} />}
            >
              Run models on it
            </Button>
          </>
        }
      >
        {dataset.data && (
          <Metrics>
            <Metric label="Requests" value={count(dataset.data.count)} />
            <Metric label="Size" value={bytes(dataset.data.size_bytes)} />
            <Metric label="Uploaded" value={moment(dataset.data.uploaded_at)} />
            <Metric label="Endpoints" value={dataset.data.endpoints.join(', ')} />
          </Metrics>
        )}
      </PageHead>
      {importing && dataset.data && (
        <Suspense>
          <ImportResults
            dataset={dataset.data}
            onClose={() => {
              setImporting(false)
            }}
          />
        </Suspense>
      )}
      <Title order={2} mb="sm">
        Requests
      </Title>
      {!requests.data && <Skeleton height={320} />}
      {requests.data && (
        <RequestList
          requests={requests.data.requests}
          open={row}
          onOpen={(opened) =>
            void navigate({ search: (before) => ({ ...before, row: opened }), replace: true })
          }
        />
      )}
      {pages > 1 && (
        <Pagination
          mt="md"
          total={pages}
          value={page + 1}
          onChange={(next) => void navigate({ search: { page: next - 1, row: undefined } })}
          getControlProps={(control) => ({ 'aria-label': `${control} page` })}
        />
      )}
    </>
  )
}
