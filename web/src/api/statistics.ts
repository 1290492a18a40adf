import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'
import type { ResultFilter } from './results'

export type Statistics = Schemas['Statistics']
export type Distribution = Schemas['Distribution']

/** Statistics of the results that a filter leaves. */
export function useStatistics(id: string, filter: ResultFilter, refresh: boolean) {
  return useQuery({
    queryKey: keys.statistics(id, filter),
    queryFn: ({ signal }) =>
      answer(
        api.GET('/admin/benchmarks/{benchmark_id}/statistics', {
          params: { path: { benchmark_id: id }, query: { ...filter } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: refresh ? 0 : 60_000,
    refetchInterval: refresh ? 8_000 : false,
  })
}
