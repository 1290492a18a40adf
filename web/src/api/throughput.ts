import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { Benchmark } from './benchmarks'
import { keys } from './keys'

export interface Sample {
  at: number
  rate: number
}

// Ten minutes of polls; a card shows no more.
const MOST = 300

/** The throughput seen of a benchmark while this browser watched it. */
export function useThroughput(benchmark: Benchmark, readAt: number): Sample[] {
  const queries = useQueryClient()
  const { data } = useQuery<Sample[]>({
    queryKey: keys.throughput(benchmark.benchmark_id),
    queryFn: () => [],
    enabled: false,
    initialData: [],
    staleTime: Infinity,
    gcTime: 3_600_000,
  })
  const { benchmark_id: id, throughput: rate, phase } = benchmark
  useEffect(() => {
    if (phase !== 'running') return
    queries.setQueryData<Sample[]>(keys.throughput(id), (before = []) =>
      before.at(-1)?.at === readAt ? before : [...before, { at: readAt, rate }].slice(-MOST),
    )
  }, [queries, id, rate, phase, readAt])
  return data
}
