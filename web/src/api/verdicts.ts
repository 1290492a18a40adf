import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

export type Verdicts = Schemas['Verdicts']
export type GraderVerdict = Schemas['GraderVerdict']

/** What a comparison shows; asked again while scores are still to come. */
export function useVerdicts(ids: string[]) {
  return useQuery({
    queryKey: keys.verdicts(ids),
    queryFn: ({ signal }) =>
      answer(
        api.GET('/admin/comparisons/verdicts', {
          params: { query: { benchmark_id: ids } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    enabled: ids.length >= 2,
    refetchInterval: ({ state }) => {
      const columns = state.data?.graders.flatMap((one) => one.columns) ?? []
      const pending =
        state.data?.pending === true || columns.some((one) => one?.state === 'pending')
      return pending ? 5_000 : false
    },
  })
}
