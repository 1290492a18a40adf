import { queryOptions, useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

export type Result = Schemas['Result']
export type ResultPage = Schemas['ResultPage']

export const OUTCOMES = ['succeeded', 'failed'] as const
export const SORTS = [
  'row_id',
  'custom_id',
  'latency_ms',
  'ttft_ms',
  'prompt_tokens',
  'output_tokens',
  'score',
] as const
export type Sort = (typeof SORTS)[number]

export interface ResultFilter {
  q?: string
  outcome?: (typeof OUTCOMES)[number]
  finish_reason?: string
  golden?: boolean
  /** The column of scores that the next three, and sorting by score, are about. */
  score?: string
  min_score?: number
  max_score?: number
  graded?: boolean
  mark?: Schemas['MarkKind']
}

export interface ResultQuery extends ResultFilter {
  sort: Sort
  order: 'asc' | 'desc'
}

export const PAGE_ROWS = 100

/** One page of a benchmark's results. */
export function resultPage(id: string, query: ResultQuery, number: number, refresh: boolean) {
  const offset = number * PAGE_ROWS
  return queryOptions({
    queryKey: keys.resultPage(id, query, offset),
    queryFn: ({ signal }) =>
      answer(
        api.GET('/admin/benchmarks/{benchmark_id}/results', {
          params: { path: { benchmark_id: id }, query: { ...query, limit: PAGE_ROWS, offset } },
          signal,
        }),
      ),
    staleTime: refresh ? 0 : 60_000,
    refetchInterval: refresh ? 4_000 : false,
  })
}

/** The pages of results that are in view; `refresh` while the benchmark still adds to them. */
export function useResultPages(
  id: string,
  query: ResultQuery,
  numbers: number[],
  refresh: boolean,
) {
  return useQueries({
    queries: numbers.map((number) => resultPage(id, query, number, refresh)),
    combine: (found) => ({
      pages: new Map(numbers.map((number, at) => [number, found[at]?.data])),
      total: found.find((one) => one.data)?.data?.total,
      error: found.find((one) => one.error)?.error ?? null,
      pending: found.some((one) => one.isPending),
    }),
  })
}

/** Fetches the result at one position of the filtered and sorted list, to step to it. */
export function useResultAt(id: string, query: ResultQuery) {
  const queries = useQueryClient()
  return async (position: number): Promise<Result | undefined> => {
    const number = Math.floor(position / PAGE_ROWS)
    const found = await queries.query({
      ...resultPage(id, query, number, false),
      staleTime: 'static',
    })
    return found.results[position - number * PAGE_ROWS]
  }
}

/** One result with the request that it answers. */
export function useResult(id: string, rowId: number) {
  return useQuery({
    queryKey: keys.result(id, rowId),
    queryFn: ({ signal }) =>
      answer(
        api.GET('/admin/benchmarks/{benchmark_id}/results/{row_id}', {
          params: { path: { benchmark_id: id, row_id: rowId } },
          signal,
        }),
      ),
  })
}
