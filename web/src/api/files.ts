import type { ComparisonQuery } from './comparison'
import type { ResultQuery } from './results'

function address(path: string, parameters: Record<string, string | string[] | undefined>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) search.append(name, one)
    }
  }
  return `${path}?${search.toString()}`
}

const texts = (values: object) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))

/** Where the results that a filter leaves can be downloaded, in the order of the table. */
export const resultsFile = (
  id: string,
  format: 'csv' | 'jsonl' | 'parquet',
  query: Partial<ResultQuery> = {},
) =>
  address(`/admin/benchmarks/${encodeURIComponent(id)}/results/download`, {
    format,
    ...texts(query),
  })

/** Where a comparison can be downloaded, as it is filtered and ordered. */
export const comparisonFile = (
  format: 'csv' | 'jsonl' | 'html',
  { benchmark_id, q, sort, order }: Omit<ComparisonQuery, 'limit' | 'offset'>,
) => address('/admin/comparisons/download', { benchmark_id, format, q, sort, order })

/** Where golden examples can be downloaded as training files. */
export const goldenFile = (format: 'messages' | 'preferences' | 'parquet', ids: string[]) =>
  address('/admin/golden/download', { format, benchmark_id: ids })
