import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

export interface Mark {
  benchmarkId: string
  rowId: number
  golden: boolean
}

function send({ benchmarkId, rowId, golden }: Mark) {
  const at = { params: { path: { benchmark_id: benchmarkId, row_id: rowId } } }
  return answer(
    golden
      ? api.PUT('/admin/benchmarks/{benchmark_id}/results/{row_id}/golden', at)
      : api.DELETE('/admin/benchmarks/{benchmark_id}/results/{row_id}/golden', at),
  )
}

function inPage(page: Schemas['ResultPage'] | undefined, mark: Mark) {
  if (!page) return page
  const marked = (one: Schemas['Result']) =>
    one.row_id === mark.rowId ? { ...one, golden: mark.golden } : one
  return { ...page, results: page.results.map(marked) }
}

function inComparison(found: Schemas['Comparison'] | undefined, mark: Mark) {
  if (!found) return found
  const marked = (one: Schemas['ComparedResult'] | null) =>
    one?.benchmark_id === mark.benchmarkId && one.row_id === mark.rowId
      ? { ...one, golden: mark.golden }
      : one
  return { ...found, rows: found.rows.map((row) => ({ ...row, results: row.results.map(marked) })) }
}

/** Mark an answer as golden or take the mark away; shown at once, taken back when refused. */
export function useGolden() {
  const queries = useQueryClient()

  function show(mark: Mark) {
    queries.setQueriesData<Schemas['ResultPage']>(
      { queryKey: [...keys.results(mark.benchmarkId), 'page'] },
      (page) => inPage(page, mark),
    )
    queries.setQueryData<Schemas['ResultDetail']>(
      keys.result(mark.benchmarkId, mark.rowId),
      (detail) => detail && { ...detail, result: { ...detail.result, golden: mark.golden } },
    )
    queries.setQueriesData<Schemas['Comparison']>({ queryKey: keys.comparisons }, (found) =>
      inComparison(found, mark),
    )
  }

  return useMutation({
    mutationFn: send,
    onMutate: show,
    onError: (_error, mark) => {
      show({ ...mark, golden: !mark.golden })
    },
  })
}
