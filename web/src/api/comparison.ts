import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { answer, api, Refused, type Schemas } from './client'
import { keys } from './keys'

export type Comparison = Schemas['Comparison']
export type ComparedRow = Schemas['ComparisonRow']
export type ComparedResult = Schemas['ComparedResult']
export type ComparedBenchmark = Schemas['ComparedBenchmark']

export interface ComparisonQuery {
  benchmark_id: string[]
  limit: number
  offset: number
  q?: string
  sort: 'disagreement' | 'row_id'
  order: 'asc' | 'desc'
}

/** The share of a large comparison that is prepared, 0 to 1; `undefined` when that is no matter. */
export function prepared(reason: unknown): number | undefined {
  if (!(reason instanceof Refused) || reason.code !== 'not_ready') return undefined
  return Number(reason.details['progress'] ?? 0)
}

/** Benchmarks of one dataset, joined request by request; asked for until it is prepared. */
export function useComparison(query: ComparisonQuery) {
  return useQuery({
    queryKey: keys.comparison(query),
    queryFn: ({ signal }) => answer(api.GET('/admin/comparisons', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    retry: (failures, reason) =>
      prepared(reason) !== undefined || (!(reason instanceof Refused) && failures < 2),
    retryDelay: 1_000,
    enabled: query.benchmark_id.length >= 2,
  })
}
