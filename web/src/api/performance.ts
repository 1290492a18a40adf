import { useQuery } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

export type Performance = Schemas['Performance']

/** How fast a benchmark's results came, over time. */
export function usePerformance(id: string, refresh: boolean) {
  return useQuery({
    queryKey: keys.performance(id),
    queryFn: ({ signal }) =>
      answer(
        api.GET('/admin/benchmarks/{benchmark_id}/performance', {
          params: { path: { benchmark_id: id } },
          signal,
        }),
      ),
    staleTime: refresh ? 0 : Infinity,
    refetchInterval: refresh ? 8_000 : false,
  })
}
