import { useQuery } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

export type ScoreColumn = Schemas['ScoreColumn']
export type Score = Schemas['Score']

/** What a benchmark's scores amount to, looked at again while some are still to come. */
export function useScores(id: string, live: boolean) {
  return useQuery({
    queryKey: keys.scores(id),
    queryFn: ({ signal }) =>
      answer(
        api.GET('/admin/benchmarks/{benchmark_id}/scores', {
          params: { path: { benchmark_id: id } },
          signal,
        }),
      ),
    refetchInterval: ({ state }) => {
      const pending = state.data?.columns.some((one) => one.state === 'pending')
      return live || pending === true ? 4_000 : false
    },
  })
}
