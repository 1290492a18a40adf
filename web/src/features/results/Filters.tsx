import { Button, SegmentedControl, Select } from '@mantine/core'
import { MARKS } from '../../api/marks'
import { useStatistics } from '../../api/statistics'
import { Icon } from '../../ui/Icon'
import { count } from '../../ui/format'
import { MARK_WORDS } from '../../ui/MarkIcon'
import { SearchField } from '../../ui/SearchField'
import type { ScoreColumn } from '../../api/scores'
import classes from './Results.module.css'
import { ScoreFilter } from './ScoreFilter'
import type { ResultsSearch } from './search'

interface FiltersProps {
  benchmarkId: string
  live: boolean
  scores: ScoreColumn[]
  search: ResultsSearch
  onChange: (change: Partial<ResultsSearch>) => void
}

const NO_FILTER = {}

/** What narrows the table; every choice is in the URL. */
export function Filters({ benchmarkId, live, scores, search, onChange }: FiltersProps) {
  const everything = useStatistics(benchmarkId, NO_FILTER, live).data
  const reasons = Object.entries(everything?.finish_reasons ?? {}).map(([reason, many]) => ({
    value: reason,
    label: `${reason} (${count(many)})`,
  }))
  return (
    <div className={classes.filters}>
      <SearchField
        label="Filter by name, prompt or response"
        value={search.q}
        onChange={(q) => {
          onChange({ q })
        }}
      />
      <SegmentedControl
        aria-label="Outcome"
        size="sm"
        data={[
          { value: 'all', label: 'All' },
          { value: 'succeeded', label: 'Succeeded' },
          { value: 'failed', label: 'Failed' },
        ]}
        value={search.outcome ?? 'all'}
        onChange={(value) => {
          onChange({ outcome: value === 'succeeded' || value === 'failed' ? value : undefined })
        }}
      />
      <Select
        aria-label="Finish reason"
        placeholder="Any finish reason"
        clearable
        w={180}
        data={reasons}
        value={search.finish_reason ?? null}
        onChange={(reason) => {
          onChange({ finish_reason: reason ?? undefined })
        }}
      />
      <Select
        aria-label="Mark"
        placeholder="Any mark"
        clearable
        w={120}
        data={MARKS.map((one) => ({ value: one, label: MARK_WORDS[one] }))}
        value={search.mark ?? null}
        onChange={(mark) => {
          onChange({ mark: MARKS.find((one) => one === mark) })
        }}
      />
      {scores.length > 0 && <ScoreFilter scores={scores} search={search} onChange={onChange} />}
      <Button
        variant="default"
        aria-pressed={search.golden === true}
        className={classes.goldenFilter ?? ''}
        leftSection={<Icon name="star" size={14} filled={search.golden === true} />}
        onClick={() => {
          onChange({ golden: search.golden ? undefined : true })
        }}
      >
        Golden
      </Button>
    </div>
  )
}
