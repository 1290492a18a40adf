import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
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

/** Benchmarks of one dataset, joined request by request. */
export function useComparison(query: ComparisonQuery) {
  return useQuery({
    queryKey: keys.comparison(query),
    queryFn: ({ signal }) => answer(api.GET('/admin/comparisons', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    enabled: query.benchmark_id.length >= 2,
  })
}
