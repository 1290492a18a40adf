import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'
import type { ResultFilter } from '../../api/results'
import { useStatistics } from '../../api/statistics'
import { count, milliseconds } from '../../ui/format'
import classes from './Results.module.css'

const Histogram = lazy(() => import('./Histogram'))

interface DistributionsProps {
  benchmarkId: string
  filter: ResultFilter
  live: boolean
}

/** Histograms of what the filter leaves. */
export function Distributions({ benchmarkId, filter, live }: DistributionsProps) {
  const { data } = useStatistics(benchmarkId, filter, live)
  const blank = <Skeleton height={196} animate={false} />
  const all = [
    { title: 'Latency', of: data?.latency_ms, format: milliseconds },
    { title: 'Time to first token', of: data?.ttft_ms, format: milliseconds },
    { title: 'Output tokens', of: data?.output_tokens, format: count },
    { title: 'Prompt tokens', of: data?.prompt_tokens, format: count },
  ]
  return (
    <div className={classes.distributions} role="region" aria-label="Distributions" tabIndex={0}>
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
