import type { Benchmark, Status } from '../../api/benchmarks'
import type { Column } from './search'

export function matches(one: Benchmark, q: string | undefined, status: Status | undefined) {
  if (status && one.status !== status) return false
  const text = `${one.model_name} ${one.model_id} ${one.dataset_name} ${one.benchmark_id}`
  return (q ?? '')
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.toLowerCase().includes(word))
}

/** Sorted by a column; what has no value there comes last, whatever the order. */
export function ordered(all: Benchmark[], column: Column, order: 'asc' | 'desc'): Benchmark[] {
  const sign = order === 'asc' ? 1 : -1
  return all.toSorted((a, b) => {
    const [x, y] = [a[column], b[column]]
    if (x === null || y === null) return Number(x === null) - Number(y === null)
    if (typeof x === 'number' && typeof y === 'number') return sign * (x - y)
    return sign * String(x).localeCompare(String(y))
  })
}
