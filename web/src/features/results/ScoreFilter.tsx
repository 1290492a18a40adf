import { Select } from '@mantine/core'
import type { ScoreColumn } from '../../api/scores'
import { UNSCORED, type ResultsSearch } from './search'

interface ScoreFilterProps {
  scores: ScoreColumn[]
  search: ResultsSearch
  onChange: (change: Partial<ResultsSearch>) => void
}

const CHOICES = {
  high: { min_score: 0.5, max_score: undefined, graded: undefined },
  low: { min_score: undefined, max_score: 0.4999, graded: undefined },
  none: { min_score: undefined, max_score: undefined, graded: false },
}
type Choice = keyof typeof CHOICES

const WORDS: Record<Choice, string> = {
  high: '50 points or more',
  low: 'below 50 points',
  none: 'not graded',
}

function chosen({ score, min_score, max_score, graded }: ResultsSearch): string | null {
  if (score === undefined) return null
  if (graded === false) return `none ${score}`
  if (min_score !== undefined) return `high ${score}`
  return max_score === undefined ? null : `low ${score}`
}

/** Results by their score. */
export function ScoreFilter({ scores, search, onChange }: ScoreFilterProps) {
  const options = scores.flatMap(({ key, grader }) =>
    (['high', 'low', 'none'] as const).map((choice) => ({
      value: `${choice} ${key}`,
      label: `${grader.name}: ${WORDS[choice]}`,
      change: { score: key, ...CHOICES[choice] },
    })),
  )
  return (
    <Select
      aria-label="Score"
      placeholder="Any score"
      clearable
      w={220}
      data={options.map(({ value, label }) => ({ value, label }))}
      value={chosen(search)}
      onChange={(value) => {
        const option = options.find((one) => one.value === value)
        onChange(
          option
            ? {
                ...option.change,
                // The order by another grader's scores cannot be kept beside it.
                ...(search.sort === 'score' && search.score !== option.change.score
                  ? { sort: undefined, order: undefined }
                  : {}),
              }
            : UNSCORED,
        )
      }}
    />
  )
}
