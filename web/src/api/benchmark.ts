import { useQuery, useQueryClient } from '@tanstack/react-query'
import { isLive, type Benchmark } from './benchmarks'
import { answer, api } from './client'
import { forward } from './forward'
import { keys } from './keys'

/** One benchmark, followed while it is live. */
export function useBenchmark(id: string) {
  const queries = useQueryClient()
  return useQuery({
    queryKey: keys.benchmark(id),
    queryFn: async ({ signal }) => {
      const next = await answer(
        api.GET('/admin/benchmarks/{benchmark_id}', {
          params: { path: { benchmark_id: id } },
          signal,
        }),
      )
      return isLive(next.status)
        ? forward(queries.getQueryData<Benchmark>(keys.benchmark(id)), next)
        : next
    },
    refetchInterval: (query) =>
      query.state.data && isLive(query.state.data.status) ? 2_000 : false,
  })
}
