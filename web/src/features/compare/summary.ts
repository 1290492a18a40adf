import type { ComparedBenchmark } from '../../api/comparison'
import { count, duration, milliseconds, rate } from '../../ui/format'

export interface Figure {
  label: string
  of: (one: ComparedBenchmark) => number | null
  format: (value: number | null) => string
  best: 'high' | 'low' | null
}

/** What the summary compares, and which end of it is the better one. */
export const FIGURES: Figure[] = [
  {
    label: 'Throughput, tok/s',
    of: ({ benchmark }) => (benchmark.engine === 'imported' ? null : benchmark.throughput),
    format: rate,
    best: 'high',
  },
  {
    label: 'Total time',
    of: (one) => one.benchmark.total_time_seconds,
    format: duration,
    best: 'low',
  },
  {
    label: 'Latency p50',
    of: (one) => one.statistics.latency_ms?.p50 ?? null,
    format: milliseconds,
    best: 'low',
  },
  {
    label: 'Latency p95',
    of: (one) => one.statistics.latency_ms?.p95 ?? null,
    format: milliseconds,
    best: 'low',
  },
  {
    label: 'First token p50',
    of: (one) => one.statistics.ttft_ms?.p50 ?? null,
    format: milliseconds,
    best: 'low',
  },
  {
    label: 'Output tokens, mean',
    of: (one) => one.statistics.output_tokens?.mean ?? null,
    format: rate,
    best: null,
  },
  {
    label: 'Output tokens, all',
    // Imported results may not say.
    of: ({ benchmark }) =>
      benchmark.engine === 'imported' ? benchmark.output_tokens || null : benchmark.output_tokens,
    format: count,
    best: null,
  },
  { label: 'Failed', of: (one) => one.statistics.failed, format: count, best: 'low' },
]

/** The columns that have a figure's best value; none when all are equal. */
export function bestOf(figure: Figure, all: ComparedBenchmark[]): Set<number> {
  const values = all.map((one) => figure.of(one))
  const known = values.filter((value) => value !== null)
  // As they are shown: what reads the same is no better.
  const shown = values.map((value) => figure.format(value))
  if (figure.best === null || known.length < 2 || new Set(shown).size < 2) return new Set()
  const best = figure.format(figure.best === 'high' ? Math.max(...known) : Math.min(...known))
  return new Set(shown.flatMap((value, at) => (value === best ? [at] : [])))
}
