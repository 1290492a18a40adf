import { Skeleton } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { reasonOf } from '../../api/client'
import { useDatasets, type Dataset } from '../../api/datasets'
import type { DatasetUploaded } from '../../api/upload-dataset'
import { Empty } from '../../ui/Empty'
import { plural } from '../../ui/format'
import { Problem } from '../../ui/Problem'
import { Section } from '../../ui/Section'
import { DeleteDataset } from './DeleteDataset'

const DatasetTable = lazy(() => import('./DatasetTable'))
const UploadZone = lazy(() => import('./UploadZone'))
const route = getRouteApi('/runner')

/** Upload, and what has been uploaded. What comes in is chosen for the next run at once. */
export function DatasetsSection() {
  const navigate = route.useNavigate()
  const { data, error, refetch } = useDatasets()
  const [deleting, setDeleting] = useState<Dataset | null>(null)

  function choose(stored: DatasetUploaded) {
    void navigate({
      search: (before) => ({ ...before, dataset: stored.dataset_id }),
      replace: true,
    })
  }

  const note = data && data.total > 0 ? plural(data.total, 'dataset') : undefined
  return (
    <Section title="Datasets" note={note}>
      <Suspense fallback={<Skeleton height={74} />}>
        <UploadZone onStored={choose} />
      </Suspense>
      {data === undefined && !error && <Skeleton height={96} mt="md" />}
      {error && data === undefined && (
        <Problem
          title="The datasets could not be read"
          message={reasonOf(error)}
          onRetry={() => void refetch()}
        />
      )}
      {data?.datasets.length === 0 && (
        <Empty icon="file" title="No dataset yet">
          Upload a JSONL file to begin. It is checked line by line, and its requests can then run on
          any model.
        </Empty>
      )}
      {data && data.datasets.length > 0 && (
        <Suspense fallback={<Skeleton height={96} mt="md" />}>
          <DatasetTable datasets={data.datasets} onDelete={setDeleting} />
        </Suspense>
      )}
      <DeleteDataset
        dataset={deleting}
        onClose={() => {
          setDeleting(null)
        }}
      />
    </Section>
  )
}
