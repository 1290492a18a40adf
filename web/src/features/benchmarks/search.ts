import { oneOf, optional, text, type Raw } from '../../ui/search'

export const COLUMNS = [
  'model_name',
  'dataset_name',
  'status',
  'completed_at',
  'total_time_seconds',
  'throughput',
  'failed',
  'output_tokens',
] as const
export type Column = (typeof COLUMNS)[number]

/** How the list of ended benchmarks is shown, and which of them are picked to compare. */
export const readBenchmarksSearch = (raw: Raw) =>
  optional({
    q: text(raw, 'q'),
    status: oneOf(raw, 'status', ['completed', 'failed', 'cancelled'] as const),
    sort: oneOf(raw, 'sort', COLUMNS),
    order: oneOf(raw, 'order', ['asc', 'desc'] as const),
    pick: text(raw, 'pick'),
  })
