import { Button, Select, Skeleton, TextInput } from '@mantine/core'
import { getRouteApi, Link } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { ENDED, useEndedBenchmarks, type Benchmark } from '../../api/benchmarks'
import { reasonOf } from '../../api/client'
import { Empty } from '../../ui/Empty'
import { count, plural } from '../../ui/format'
import { Icon } from '../../ui/Icon'
import { Problem } from '../../ui/Problem'
import { listed, unlisted } from '../../ui/search'
import { Section } from '../../ui/Section'
import { DeleteBenchmark } from './DeleteBenchmark'
import { matches, ordered } from './ordered'

const CompletedTable = lazy(() => import('./CompletedTable'))
const route = getRouteApi('/runner')
const WORDS = { completed: 'Completed', failed: 'Failed', cancelled: 'Cancelled' }

/** What has ended: to be read, compared, run again or thrown away. */
export function CompletedSection() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const { data, error, refetch } = useEndedBenchmarks()
  const [deleting, setDeleting] = useState<Benchmark | null>(null)

  const all = data?.benchmarks ?? []
  const shown = ordered(
    all.filter((one) => matches(one, search.q, search.status)),
    search.sort ?? 'completed_at',
    search.order ?? 'desc',
  )
  const picked = listed(search.pick).filter((id) => all.some((one) => one.benchmark_id === id))

  const comparable = picked.length >= 2 && picked.length <= 8

  function change(with_: Partial<typeof search>) {
    void navigate({
      search: (before) => ({ ...before, ...with_ }),
      replace: true,
      resetScroll: false,
    })
  }

  const filters = all.length > 0 && (
    <>
      <TextInput
        aria-label="Filter by model or dataset"
        placeholder="Filter by model or dataset"
        leftSection={<Icon name="search" size={14} />}
        value={search.q ?? ''}
        onChange={(event) => {
          change({ q: event.currentTarget.value || undefined })
        }}
      />
      <Select
        aria-label="Filter by status"
        placeholder="Any status"
        clearable
        w={140}
        data={ENDED.map((one) => ({ value: one, label: WORDS[one as keyof typeof WORDS] }))}
        value={search.status ?? null}
        onChange={(status) => {
          change({ status: (status ?? undefined) as typeof search.status })
        }}
      />
      <Button
        leftSection={<Icon name="columns" />}
        disabled={!comparable}
        {...(!comparable
          ? { title: 'Pick two to eight benchmarks of one dataset' }
          : {
              renderRoot: (props: object) => (
                <Link to="/compare" search={{ ids: picked.join(',') }} {...props} />
              ),
            })}
      >
        {picked.length > 0 ? `Compare ${String(picked.length)}` : 'Compare'}
      </Button>
    </>
  )
  const note = data && data.total > 0 ? plural(data.total, 'benchmark') : undefined
  return (
    <Section title="Completed benchmarks" note={note} actions={filters}>
      {error && !data && (
        <Problem
          title="The benchmarks could not be read"
          message={reasonOf(error)}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton height={160} />}
      {data && all.length === 0 && (
        <Empty icon="check" title="No results yet">
          A benchmark that has ended moves here. Pick two of the same dataset to compare their
          models side by side.
        </Empty>
      )}
      {all.length > 0 && shown.length === 0 && (
        <Empty icon="search" title="No benchmark matches">
          <Button
            variant="default"
            onClick={() => {
              change({ q: undefined, status: undefined })
            }}
          >
            Clear the filter
          </Button>
        </Empty>
      )}
      {shown.length > 0 && (
        <Suspense fallback={<Skeleton height={160} />}>
          <CompletedTable
            benchmarks={shown}
            sort={search.sort ?? 'completed_at'}
            order={search.order ?? 'desc'}
            onSort={(sort, order) => {
              change({ sort, order })
            }}
            picked={picked}
            pickedDataset={all.find((one) => one.benchmark_id === picked[0])?.dataset_id}
            onPick={(ids) => {
              change({ pick: unlisted(ids) })
            }}
            onDelete={setDeleting}
          />
        </Suspense>
      )}
      {data && data.total > all.length && <p>Only the newest {count(all.length)} are listed.</p>}
      <DeleteBenchmark
        benchmark={deleting}
        onClose={() => {
          setDeleting(null)
        }}
      />
    </Section>
  )
}
