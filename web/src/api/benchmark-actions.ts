import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from './client'
import { keys } from './keys'

const at = (id: string) => ({ params: { path: { benchmark_id: id } } })

const calls = {
  cancel: (id: string): Promise<unknown> =>
    answer(api.POST('/admin/benchmarks/{benchmark_id}/cancel', at(id))),
  rerun: (id: string): Promise<unknown> =>
    answer(api.POST('/admin/benchmarks/{benchmark_id}/rerun', at(id))),
  'rerun-changed': (id: string): Promise<unknown> =>
    answer(
      api.POST('/admin/benchmarks/{benchmark_id}/rerun', {
        params: { path: { benchmark_id: id }, query: { allow_changes: true } },
      }),
    ),
  'retry-failed': (id: string): Promise<unknown> =>
    answer(api.POST('/admin/benchmarks/{benchmark_id}/retry-failed', at(id))),
  delete: (id: string): Promise<unknown> =>
    answer(api.DELETE('/admin/benchmarks/{benchmark_id}', at(id))),
}

export type BenchmarkAction = keyof typeof calls

/** Cancel, rerun (also if the model has changed), retry the failed rows of, or delete a benchmark. */
export function useBenchmarkAction(action: BenchmarkAction) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => calls[action](id),
    onSuccess: async (_data, id) => {
      if (action === 'retry-failed') queries.removeQueries({ queryKey: keys.results(id) })
      await queries.invalidateQueries({ queryKey: keys.benchmarks })
    },
  })
}
