import { index, optional, type Raw } from '../../ui/search'

/** The preview's URL: which requests are shown and which of them is open. */
export const readDatasetSearch = (raw: Raw) =>
  optional({
    page: index(raw, 'page'),
    row: index(raw, 'row'),
  })
