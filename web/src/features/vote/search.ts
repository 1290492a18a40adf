import { listed, optional, type Raw } from '../../ui/search'

/** Benchmarks to vote on: the parameter once with commas, or once each. */
function ids(value: unknown): string | undefined {
  const all = Array.isArray(value) ? value.map(String) : [typeof value === 'string' ? value : '']
  return [...new Set(all.flatMap(listed))].join(',') || undefined
}

export const readVoteSearch = (raw: Raw) => optional({ benchmark_id: ids(raw['benchmark_id']) })
