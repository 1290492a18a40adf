import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'
import { usePerformance } from '../../api/performance'
import type { ResultFilter } from '../../api/results'
import { useStatistics } from '../../api/statistics'
import { count, milliseconds } from '../../ui/format'
import classes from './Results.module.css'

const Histogram = lazy(() => import('./Histogram'))
const Rates = lazy(() => import('./Rates'))

interface DistributionsProps {
  benchmarkId: string
  filter: ResultFilter
  live: boolean
}

/** Histograms of what the filter leaves; of all, also how fast they came. */
export function Distributions({ benchmarkId, filter, live }: DistributionsProps) {
  const { data } = useStatistics(benchmarkId, filter, live)
  const performance = usePerformance(benchmarkId, live).data
  const timed = Object.keys(filter).length === 0 && (performance?.output_tokens_per_second ?? 0) > 0
  const blank = <Skeleton height={196} animate={false} />
  const all = [
    { title: 'Latency', of: data?.latency_ms, format: milliseconds },
    { title: 'Time to first token', of: data?.ttft_ms, format: milliseconds },
    { title: 'Between tokens', of: data?.itl_ms, format: milliseconds },
    { title: 'Output tokens', of: data?.output_tokens, format: count },
    { title: 'Prompt tokens', of: data?.prompt_tokens, format: count },
  ]
  return (
    <div className={classes.distributions} role="region" aria-label="Distributions" tabIndex={0}>
      {performance && timed && (
        <Suspense fallback={blank}>
          <Rates performance={performance} />
        </Suspense>
      )}
      {all
        .filter(({ of }) => of !== null)
        .map(({ title, of, format }) => (
          <div key={title}>
            <Suspense fallback={blank}>
              {of ? <Histogram title={title} distribution={of} format={format} /> : blank}
            </Suspense>
          </div>
        ))}
    </div>
  )
}
