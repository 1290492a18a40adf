import { optional, text, type Raw } from '../../ui/search'

/** What the run form holds: the dataset and the models, separated by commas. */
export const readRunSearch = (raw: Raw) =>
  optional({
    dataset: text(raw, 'dataset'),
    models: text(raw, 'models'),
  })
