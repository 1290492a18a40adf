import { useMutation, useQueryClient } from '@tanstack/react-query'
import { author } from './author'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'
import { showMark, type Place } from './show-mark'

export interface GoldenMark extends Place {
  golden: boolean
}

function send({ benchmarkId, rowId, golden }: GoldenMark) {
  const at = { params: { path: { benchmark_id: benchmarkId, row_id: rowId } } }
  return answer(
    golden
      ? api.PUT('/admin/benchmarks/{benchmark_id}/results/{row_id}/golden', at)
      : api.DELETE('/admin/benchmarks/{benchmark_id}/results/{row_id}/golden', at),
  )
}

/** What the server makes of a mark: golden in place of another kind keeps its texts. */
function asGolden(old: Schemas['Mark'] | null, { benchmarkId, rowId }: Place): Schemas['Mark'] {
  const now = new Date().toISOString()
  return {
    benchmark_id: benchmarkId,
    row_id: rowId,
    response: null,
    note: null,
    created_at: now,
    ...old,
    kind: 'golden',
    author: author() || null,
    updated_at: now,
  }
}

/** Mark an answer as golden or take the mark away; shown at once, taken back when refused. */
export function useGolden() {
  const queries = useQueryClient()

  function show({ golden, ...place }: GoldenMark) {
    showMark(queries, place, {
      mark: (old) => (golden ? asGolden(old, place) : old?.kind === 'golden' ? null : old),
      kind: (old) => (golden ? 'golden' : old === 'golden' ? null : old),
    })
  }

  return useMutation({
    mutationFn: send,
    onMutate: show,
    onError: async (_error, mark) => {
      show({ ...mark, golden: !mark.golden })
      // It may have been of another kind before.
      await queries.invalidateQueries({ queryKey: keys.results(mark.benchmarkId) })
    },
  })
}
