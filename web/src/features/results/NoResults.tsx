import { Button } from '@mantine/core'
import { Empty } from '../../ui/Empty'

interface NoResultsProps {
  filtered: boolean
  live: boolean
  onClear: () => void
}

/** What stands in the place of a table without rows. */
export function NoResults({ filtered, live, onClear }: NoResultsProps): React.JSX.Element {
  if (filtered) {
    return (
      <Empty icon="search" title="No result matches">
        <Button variant="default" onClick={onClear}>
          Clear the filter
        </Button>
      </Empty>
    )
  }
  return (
    <Empty icon="search" title="No results yet">
      {live
        ? 'The first answers appear here while the benchmark runs.'
        : 'This benchmark ended before any request was answered.'}
    </Empty>
  )
}
