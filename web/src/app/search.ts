import { readBenchmarksSearch } from '../features/benchmarks/search'
import { readRunSearch } from '../features/run/search'
import type { Raw } from '../ui/search'

/** The runner page's URL: what the run form holds and how the completed list is shown. */
export const readRunnerSearch = (raw: Raw) => ({
  ...readRunSearch(raw),
  ...readBenchmarksSearch(raw),
})
