import { Button } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import { lazy, Suspense, useEffect } from 'react'
import { isLive } from '../../api/benchmarks'
import { useBenchmark } from '../../api/benchmark'
import { reasonOf } from '../../api/client'
import { useGolden } from '../../api/golden'
import { useResultAt } from '../../api/results'
import { useScores, type ScoreColumn } from '../../api/scores'
import { useStatistics } from '../../api/statistics'
import { Icon } from '../../ui/Icon'
import { notifyRefused } from '../../ui/notify'
import { PageHead } from '../../ui/PageHead'
import { Problem } from '../../ui/Problem'
import { StatusTag } from '../../ui/StatusTag'
import { CompareMenu } from './CompareMenu'
import { Distributions } from './Distributions'
import { ExportMenu } from './ExportMenu'
import { Filters } from './Filters'
import classes from './Results.module.css'
import { ResultTable } from './ResultTable'
import { NoResults } from './NoResults'
import { filterOf, queryOf, UNFILTERED, UNSCORED, type ResultsSearch } from './search'
import { Summary } from './Summary'

// After the table, which it must not hold up.
const loadDrawer = () => import('./ResultDrawer')
const ResultDrawer = lazy(loadDrawer)
const AgreementPanel = lazy(() => import('./AgreementPanel'))
const GradersModal = lazy(() => import('../graders/GradersModal'))
const NO_SCORES: ScoreColumn[] = []
const route = getRouteApi('/results/$benchmarkId')

/** All responses of one benchmark, also while it runs. */
export function ResultsPage(): React.JSX.Element {
  const { benchmarkId } = route.useParams()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const { data: benchmark, error } = useBenchmark(benchmarkId)
  const live = benchmark !== undefined && isLive(benchmark.status)
  const filter = filterOf(search)
  const query = queryOf(search)
  const scores = useScores(benchmarkId, live).data?.columns ?? NO_SCORES
  const total = useStatistics(benchmarkId, filter, live).data?.count
  const resultAt = useResultAt(benchmarkId, query)
  const mark = useGolden()
  useEffect(() => void loadDrawer(), [])

  function change(with_: Partial<ResultsSearch>) {
    void navigate({
      search: (before) => ({ ...before, ...with_ }),
      replace: true,
      resetScroll: false,
    })
  }

  /** A new filter or order begins at the top. */
  function narrow(with_: Partial<ResultsSearch>) {
    change({ ...with_, at: undefined, row: undefined })
  }

  /** Open the result at a position, also one that is not shown yet. */
  function show(at: number) {
    if (at < 0) return
    resultAt(at).then(
      (result) => {
        if (result) change({ at, row: result.row_id })
      },
      (reason: unknown) => notifyRefused('The result could not be read', reason),
    )
  }

  if (error && !benchmark) {
    return <Problem title="These results could not be read" message={reasonOf(error)} />
  }
  const filtered = Object.keys(filter).length > 0
  const charts = search.charts !== false
  return (
    <>
      <PageHead
        title={benchmark?.model_name ?? 'Results'}
        beside={
          benchmark && (
            <>
              <span className={classes.on}>on {benchmark.dataset_name}</span>
              <StatusTag status={benchmark.status} />
            </>
          )
        }
        actions={
          <>
            {benchmark && <CompareMenu benchmark={benchmark} />}
            <Button
              variant="default"
              aria-expanded={charts}
              leftSection={<Icon name="bars" />}
              onClick={() => {
                change({ charts: charts ? false : undefined })
              }}
            >
              Charts
            </Button>
            <Button
              variant="default"
              leftSection={<Icon name="check" />}
              onClick={() => {
                change({ graders: true })
              }}
            >
              Graders
            </Button>
            <ExportMenu benchmarkId={benchmarkId} query={query} filtered={filtered} total={total} />
          </>
        }
      >
        {benchmark && <Summary benchmark={benchmark} scores={scores} />}
      </PageHead>
      {benchmark?.error != null && (
        <Problem title="This benchmark failed" message={benchmark.error} />
      )}
      {benchmark?.rerun_of != null && (
        <Suspense>
          <AgreementPanel benchmark={benchmark} />
        </Suspense>
      )}
      {charts && total !== 0 && (
        <Distributions benchmarkId={benchmarkId} filter={filter} live={live} />
      )}
      <Filters
        benchmarkId={benchmarkId}
        live={live}
        scores={scores}
        search={search}
        onChange={narrow}
      />
      <ResultTable
        benchmarkId={benchmarkId}
        query={query}
        scores={scores}
        live={live}
        current={search.at}
        onCurrent={(at) => {
          change({ at })
        }}
        onOpen={show}
        onSort={(sort, order, score) => {
          const another = score !== undefined && score !== search.score
          narrow({ ...(another && { ...UNSCORED, score }), sort, order })
        }}
        onGolden={({ row_id: rowId, golden }) => {
          mark.mutate(
            { benchmarkId, rowId, golden: !golden },
            {
              onError: (reason) => {
                void notifyRefused('The mark was not kept', reason)
              },
            },
          )
        }}
        empty={
          <NoResults
            filtered={filtered}
            live={live}
            onClear={() => {
              narrow(UNFILTERED)
            }}
          />
        }
      />
      {search.graders === true && benchmark && (
        <Suspense>
          <GradersModal
            benchmark={benchmark}
            scores={scores}
            onClose={() => {
              change({ graders: undefined })
            }}
          />
        </Suspense>
      )}
      {search.row !== undefined && (
        <Suspense>
          <ResultDrawer
            benchmarkId={benchmarkId}
            rowId={search.row}
            position={search.at}
            total={total}
            scores={scores}
            onStep={(by) => {
              show((search.at ?? -1) + by)
            }}
            onClose={() => {
              change({ row: undefined })
            }}
          />
        </Suspense>
      )}
    </>
  )
}
