import type { Result, Sort } from '../../api/results'
import type { Score, ScoreColumn } from '../../api/scores'
import { count, milliseconds, NONE, points } from '../../ui/format'
import { MarkIcon } from '../../ui/MarkIcon'
import { Tag } from '../../ui/Tag'
import classes from './Results.module.css'

interface ColumnSpec {
  label: string
  width: string
  sort?: Sort
  /** The key of the column of scores that it shows. */
  score?: string
  right?: boolean
  /** Shown on a narrow screen too. */
  narrow?: string
  cell: (result: Result) => React.ReactNode
}

export const succeeded = (result: Pick<Result, 'status_code'>) =>
  result.status_code >= 200 && result.status_code < 300

export function Outcome({ result }: { result: Pick<Result, 'status_code' | 'finish_reason'> }) {
  if (!succeeded(result)) return <Tag tone="bad">{result.status_code || 'failed'}</Tag>
  const reason = result.finish_reason ?? 'ok'
  return <Tag tone={reason === 'length' ? 'warn' : 'calm'}>{reason}</Tag>
}

function errorText(result: Result): string {
  if (result.error) return result.error.message
  const error = result.response?.body['error']
  if (typeof error === 'object' && error !== null && 'message' in error)
    return String(error.message)
  return ''
}

/** An answer's beginning on one line: a cell shows no more. */
const line = (text: string) => text.slice(0, 240).replace(/\s+/g, ' ').trim()

const WIDE: ColumnSpec[] = [
  { label: '#', width: '56px', sort: 'row_id', right: true, cell: (one) => count(one.row_id) },
  {
    label: 'Name',
    width: 'minmax(120px, 180px)',
    narrow: 'minmax(80px, 2fr)',
    sort: 'custom_id',
    cell: (one) => <span className={classes.id}>{one.custom_id}</span>,
  },
  { label: 'Prompt', width: 'minmax(120px, 2fr)', cell: (one) => line(one.prompt) },
  {
    label: 'Response',
    width: 'minmax(160px, 3fr)',
    narrow: 'minmax(100px, 3fr)',
    cell: (one) =>
      succeeded(one) ? (
        line(one.text ?? NONE)
      ) : (
        <span className={classes.bad}>{line(errorText(one) || (one.text ?? ''))}</span>
      ),
  },
  {
    label: 'Outcome',
    width: '84px',
    narrow: '64px',
    cell: (one) => <Outcome result={one} />,
  },
  {
    label: 'In',
    width: '52px',
    sort: 'prompt_tokens',
    right: true,
    cell: (one) => count(one.prompt_tokens),
  },
  {
    label: 'Out',
    width: '52px',
    sort: 'output_tokens',
    right: true,
    cell: (one) => count(one.output_tokens),
  },
  {
    label: 'First token',
    width: '92px',
    sort: 'ttft_ms',
    right: true,
    cell: (one) => milliseconds(one.ttft_ms),
  },
  {
    label: 'Latency',
    width: '92px',
    sort: 'latency_ms',
    right: true,
    cell: (one) => milliseconds(one.latency_ms),
  },
  {
    label: 'Mark',
    width: '52px',
    cell: (one) => one.mark && <MarkIcon kind={one.mark.kind} />,
  },
]

/** A score, or why there is none. */
export function ScoreCell({ score }: { score: Score | undefined }) {
  if (!score) return NONE
  if (score.value === null) {
    return (
      <span className={classes.bad} title={score.error ?? ''}>
        error
      </span>
    )
  }
  return <span title={score.note ?? ''}>{points(score.value)}</span>
}

const scoreColumn = ({ key, grader }: ScoreColumn): ColumnSpec => ({
  label: grader.name,
  width: '72px',
  sort: 'score',
  score: key,
  right: true,
  cell: (one) => <ScoreCell score={one.scores?.[key]} />,
})

const AFTER = WIDE.findIndex((one) => one.label === 'Outcome') + 1
const NARROW = WIDE.flatMap((one) => (one.narrow ? [{ ...one, width: one.narrow }] : []))

/** The columns for a screen, scores included; a narrow one leaves the figures to the drawer. */
export function columnsFor(narrow: boolean, scores: ScoreColumn[]) {
  const columns = narrow
    ? NARROW
    : [...WIDE.slice(0, AFTER), ...scores.map(scoreColumn), ...WIDE.slice(AFTER)]
  return {
    columns,
    template: columns.map((one) => one.width).join(' '),
    minWidth: narrow ? 280 : 1060 + 72 * scores.length,
  }
}
