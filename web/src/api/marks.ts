import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { showMark, type Place } from './show-mark'

export type Mark = Schemas['Mark']
export type MarkKind = Schemas['MarkKind']
export const MARKS = ['golden', 'fix', 'wrong'] as const

const at = ({ benchmarkId, rowId }: Place) => ({
  params: { path: { benchmark_id: benchmarkId, row_id: rowId } },
})

/** Record what a person found about a result. */
export function useMark() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ place, marking }: { place: Place; marking: Schemas['Marking'] }) =>
      answer(
        api.PUT('/admin/benchmarks/{benchmark_id}/results/{row_id}/mark', {
          ...at(place),
          body: marking,
        }),
      ),
    onSuccess: (mark, { place }) => {
      showMark(queries, place, { mark: () => mark, kind: () => mark.kind })
    },
  })
}

/** Take a mark away. */
export function useUnmark() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (place: Place) =>
      answer(api.DELETE('/admin/benchmarks/{benchmark_id}/results/{row_id}/mark', at(place))),
    onSuccess: (_done, place) => {
      showMark(queries, place, { mark: () => null, kind: () => null })
    },
  })
}
