import { MARKS } from '../../api/marks'
import { OUTCOMES, SORTS, type ResultFilter, type ResultQuery } from '../../api/results'
import { flag, index, oneOf, optional, text, type Raw } from '../../ui/search'

/** Which results are shown, in which order, and which of them is open. */
export const readResultsSearch = (raw: Raw) =>
  optional({
    q: text(raw, 'q'),
    outcome: oneOf(raw, 'outcome', OUTCOMES),
    finish_reason: text(raw, 'finish_reason'),
    golden: flag(raw, 'golden') === true ? true : undefined,
    mark: oneOf(raw, 'mark', MARKS),
    sort: oneOf(raw, 'sort', SORTS),
    order: oneOf(raw, 'order', ['asc', 'desc'] as const),
    /** Position of the current row in the list that the filter leaves. */
    at: index(raw, 'at'),
    /** Row whose detail is open. */
    row: index(raw, 'row'),
    charts: flag(raw, 'charts') === false ? false : undefined,
  })

export type ResultsSearch = ReturnType<typeof readResultsSearch>

export function filterOf(search: ResultsSearch): ResultFilter {
  const { q, outcome, finish_reason, golden, mark } = search
  return {
    ...(q !== undefined && { q }),
    ...(outcome !== undefined && { outcome }),
    ...(finish_reason !== undefined && { finish_reason }),
    ...(golden !== undefined && { golden }),
    ...(mark !== undefined && { mark }),
  }
}

export const queryOf = (search: ResultsSearch): ResultQuery => ({
  ...filterOf(search),
  sort: search.sort ?? 'row_id',
  order: search.order ?? 'asc',
})
