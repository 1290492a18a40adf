import type { QueryClient } from '@tanstack/react-query'
import type { Schemas } from './client'
import { keys } from './keys'

type Mark = Schemas['Mark']
type MarkKind = Schemas['MarkKind']

export interface Place {
  benchmarkId: string
  rowId: number
}

/** What becomes of a mark; a comparison knows its kind only. */
interface Change {
  mark: (old: Mark | null) => Mark | null
  kind: (old: MarkKind | null) => MarkKind | null
}

/** Change a mark wherever it is shown: lists, the open result, comparisons. */
export function showMark(queries: QueryClient, { benchmarkId, rowId }: Place, change: Change) {
  function marked(result: Schemas['Result']): Schemas['Result'] {
    const mark = change.mark(result.mark)
    return { ...result, mark, golden: mark?.kind === 'golden' }
  }
  queries.setQueriesData<Schemas['ResultPage']>(
    { queryKey: [...keys.results(benchmarkId), 'page'] },
    (page) =>
      page && {
        ...page,
        results: page.results.map((one) => (one.row_id === rowId ? marked(one) : one)),
      },
  )
  queries.setQueryData<Schemas['ResultDetail']>(
    keys.result(benchmarkId, rowId),
    (detail) => detail && { ...detail, result: marked(detail.result) },
  )

  function compared(one: Schemas['ComparedResult'] | null) {
    if (one?.benchmark_id !== benchmarkId || one.row_id !== rowId) return one
    const mark = change.kind(one.mark)
    return { ...one, mark, golden: mark === 'golden' }
  }
  queries.setQueriesData<Schemas['Comparison']>(
    { queryKey: keys.comparisons },
    (found) =>
      found && {
        ...found,
        rows: found.rows.map((row) => ({ ...row, results: row.results.map(compared) })),
      },
  )
}
