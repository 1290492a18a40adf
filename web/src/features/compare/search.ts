import { flag, index, oneOf, optional, text, type Raw } from '../../ui/search'

/** Which benchmarks stand side by side, and how their requests are listed. */
export const readCompareSearch = (raw: Raw) =>
  optional({
    ids: text(raw, 'ids'),
    q: text(raw, 'q'),
    sort: oneOf(raw, 'sort', ['disagreement', 'row_id'] as const),
    page: index(raw, 'page'),
    /** Column that the others are compared with. */
    base: index(raw, 'base'),
    diff: flag(raw, 'diff') === false ? false : undefined,
    /** Row whose texts are shown in full. */
    row: index(raw, 'row'),
  })

export type CompareSearch = ReturnType<typeof readCompareSearch>
