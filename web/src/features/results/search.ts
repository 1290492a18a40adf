import { MARKS } from '../../api/marks'
import { OUTCOMES, SORTS, type ResultFilter, type ResultQuery } from '../../api/results'
import { flag, index, oneOf, optional, share, text, type Raw } from '../../ui/search'

/** Which results are shown, in which order, and which of them is open. */
export const readResultsSearch = (raw: Raw) =>
  optional({
    q: text(raw, 'q'),
    outcome: oneOf(raw, 'outcome', OUTCOMES),
    finish_reason: text(raw, 'finish_reason'),
    golden: flag(raw, 'golden') === true ? true : undefined,
    mark: oneOf(raw, 'mark', MARKS),
    score: text(raw, 'score'),
    min_score: share(raw, 'min_score'),
    max_score: share(raw, 'max_score'),
    graded: flag(raw, 'graded'),
    sort: oneOf(raw, 'sort', SORTS),
    order: oneOf(raw, 'order', ['asc', 'desc'] as const),
    /** Position of the current row in the list that the filter leaves. */
    at: index(raw, 'at'),
    /** Row whose detail is open. */
    row: index(raw, 'row'),
    charts: flag(raw, 'charts') === false ? false : undefined,
    /** The editor of graders is open. */
    graders: flag(raw, 'graders') === true ? true : undefined,
  })

export type ResultsSearch = ReturnType<typeof readResultsSearch>

/** What of the address narrows the results. */
export function filterOf(search: ResultsSearch): ResultFilter {
  const { q, outcome, finish_reason, golden, mark, score, min_score, max_score, graded } = search
  const ofScores = [min_score, max_score, graded].some((one) => one !== undefined)
  return {
    ...(q !== undefined && { q }),
    ...(outcome !== undefined && { outcome }),
    ...(finish_reason !== undefined && { finish_reason }),
    ...(golden !== undefined && { golden }),
    ...(mark !== undefined && { mark }),
    ...(score !== undefined &&
      ofScores && {
        score,
        ...(min_score !== undefined && { min_score }),
        ...(max_score !== undefined && { max_score }),
        ...(graded !== undefined && { graded }),
      }),
  }
}

export const UNSCORED = { min_score: undefined, max_score: undefined, graded: undefined }

export const UNFILTERED = {
  q: undefined,
  outcome: undefined,
  finish_reason: undefined,
  golden: undefined,
  mark: undefined,
  ...UNSCORED,
}

/** What the table asks for: without saying which scores, it cannot be sorted by them. */
export function queryOf(search: ResultsSearch): ResultQuery {
  const { score } = search
  const sort = search.sort === 'score' && score === undefined ? 'row_id' : search.sort
  return {
    ...filterOf(search),
    ...(sort === 'score' && score !== undefined && { score }),
    sort: sort ?? 'row_id',
    order: search.order ?? 'asc',
  }
}
