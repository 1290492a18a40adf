import { Button, Pagination, SegmentedControl, Skeleton, Switch } from '@mantine/core'
import { getRouteApi, Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { reasonOf } from '../../api/client'
import { prepared, useComparison } from '../../api/comparison'
import { Empty } from '../../ui/Empty'
import { count, plural } from '../../ui/format'
import { PageHead } from '../../ui/PageHead'
import { Problem } from '../../ui/Problem'
import { listed } from '../../ui/search'
import { SearchField } from '../../ui/SearchField'
import { Section } from '../../ui/Section'
import classes from './Compare.module.css'
import { CompareGrid } from './CompareGrid'
import { ExportMenu } from './ExportMenu'
import { Preferences } from './Preferences'
import { Preparing } from './Preparing'
import { SummaryTable } from './SummaryTable'
import { VerdictSection } from './VerdictSection'
import type { CompareSearch } from './search'

const SummaryCharts = lazy(() => import('./SummaryCharts'))
const route = getRouteApi('/compare')
const PAGE_ROWS = 25

/** Benchmarks of one dataset side by side, the most different answers first. */
export function ComparePage(): React.JSX.Element {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const ids = listed(search.ids)
  const { sort = 'disagreement', page = 0 } = search
  const rows = {
    benchmark_id: ids,
    ...(search.q !== undefined && { q: search.q }),
    sort,
    order: 'asc' as const,
  }
  const { data, error, failureReason, isPlaceholderData, refetch } = useComparison({
    ...rows,
    limit: PAGE_ROWS,
    offset: page * PAGE_ROWS,
  })

  function change(with_: Partial<CompareSearch>) {
    void navigate({
      search: (before) => ({ ...before, ...with_ }),
      replace: true,
      resetScroll: false,
    })
  }

  if (ids.length < 2) {
    return (
      <Empty icon="columns" title="Pick two or more benchmarks">
        <p>Tick benchmarks of one dataset in the completed list and press Compare.</p>
        <Button renderRoot={(props) => <Link to="/runner" {...props} />}>Go to the runner</Button>
      </Empty>
    )
  }
  if (error && !data) {
    return (
      <Problem
        title="These benchmarks could not be compared"
        message={reasonOf(error)}
        onRetry={() => void refetch()}
      />
    )
  }
  if (!data) return <Preparing columns={ids.length} share={prepared(failureReason)} />
  const pages = Math.ceil(data.total / PAGE_ROWS)
  const base = Math.min(search.base ?? 0, data.benchmarks.length - 1)
  return (
    <>
      <PageHead
        title={`Comparison of ${plural(data.benchmarks.length, 'benchmark')}`}
        beside={<span className={classes.on}>on {data.benchmarks[0]?.benchmark.dataset_name}</span>}
        actions={<ExportMenu query={rows} total={data.total} />}
      />
      <VerdictSection ids={ids} />
      <Section title="Summary">
        <div className={classes.summary}>
          <SummaryTable benchmarks={data.benchmarks} />
          <Suspense fallback={<Skeleton height={160} />}>
            <SummaryCharts benchmarks={data.benchmarks} />
          </Suspense>
        </div>
      </Section>
      <div className={classes.below}>
        <Preferences benchmarks={data.benchmarks} />
      </div>
      <div className={classes.filters}>
        <SearchField
          label="Filter by name, prompt or answer"
          value={search.q}
          onChange={(q) => {
            change({ q, page: undefined, row: undefined })
          }}
        />
        <SegmentedControl
          aria-label="Order"
          data={[
            { value: 'disagreement', label: 'Most different first' },
            { value: 'row_id', label: 'Dataset order' },
          ]}
          value={sort}
          onChange={(value) => {
            change({ sort: value === 'row_id' ? value : undefined, page: undefined })
          }}
        />
        <Switch
          label="Mark differences"
          checked={search.diff !== false}
          onChange={(event) => {
            change({ diff: event.currentTarget.checked ? undefined : false })
          }}
        />
        <span className={classes.keys}>
          {plural(data.total, 'request')}
          {data.unmatched > 0 && `, ${count(data.unmatched)} not answered by all`}. Arrows or hjkl
          move, g marks golden, Enter shows in full.
        </span>
      </div>
      {data.total === 0 && (
        <Empty icon="search" title="No request matches">
          Change the filter.
        </Empty>
      )}
      {data.rows.length > 0 && (
        <div aria-busy={isPlaceholderData}>
          <CompareGrid
            comparison={data}
            base={base}
            diff={search.diff !== false}
            open={search.row}
            onBase={(column) => {
              change({ base: column === 0 ? undefined : column })
            }}
            onOpen={(row) => {
              change({ row })
            }}
          />
        </div>
      )}
      {pages > 1 && (
        <Pagination
          mt="md"
          total={pages}
          value={page + 1}
          onChange={(next) => {
            void navigate({ search: (before) => ({ ...before, page: next - 1, row: undefined }) })
          }}
          getControlProps={(control) => ({ 'aria-label': `${control} page` })}
        />
      )}
    </>
  )
}
