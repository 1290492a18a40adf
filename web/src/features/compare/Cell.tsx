import type { ComparedResult } from '../../api/comparison'
import { count, milliseconds, points } from '../../ui/format'
import { Icon } from '../../ui/Icon'
import { MarkIcon } from '../../ui/MarkIcon'
import { Tag } from '../../ui/Tag'
import { Answer } from './Answer'
import classes from './Compare.module.css'

interface CellProps {
  result: ComparedResult | null
  model: string
  /** Names of graders by the key of their scores. */
  graders: Map<string, string>
  base: string | null
  row: number
  column: number
  focusable: boolean
  onFocus: () => void
  onGolden: () => void
}

const failed = (result: ComparedResult) => result.status_code < 200 || result.status_code >= 300

/** One model's answer to one request. */
export function Cell(props: CellProps) {
  const { result, model, graders, base, row, column, focusable, onFocus, onGolden } = props
  return (
    <div
      role="gridcell"
      tabIndex={focusable ? 0 : -1}
      data-row={row}
      data-column={column}
      data-golden={result?.golden === true ? true : undefined}
      className={classes.cell}
      onFocus={onFocus}
    >
      {result === null ? (
        <em className={classes.none}>No result</em>
      ) : (
        <>
          <div className={`plain ${classes.answer ?? ''}`}>
            {failed(result) ? (
              <span className={classes.failed}>
                {result.status_code === 0
                  ? 'No answer.'
                  : `Failed with status ${String(result.status_code)}.`}{' '}
                {result.text}
              </span>
            ) : (
              <Answer text={result.text ?? ''} base={base} />
            )}
          </div>
          <div className={classes.figures}>
            {failed(result) ? (
              <Tag tone="bad">{result.status_code || 'failed'}</Tag>
            ) : (
              <Tag tone={result.finish_reason === 'length' ? 'warn' : 'calm'}>
                {result.finish_reason ?? 'ok'}
              </Tag>
            )}
            {result.mark !== null && result.mark !== 'golden' && <MarkIcon kind={result.mark} />}
            {Object.entries(result.scores).map(([key, score]) => (
              <span
                key={key}
                className={classes.score}
                title={[graders.get(key), score.note, score.error].filter(Boolean).join(': ')}
              >
                {graders.get(key)} {score.value === null ? 'not graded' : points(score.value)}
              </span>
            ))}
            <span>{count(result.output_tokens)} tok</span>
            <span>{milliseconds(result.latency_ms)}</span>
            <button
              type="button"
              tabIndex={focusable ? 0 : -1}
              className={classes.star}
              aria-pressed={result.golden}
              aria-label={`Golden: ${model}, row ${String(row)}`}
              title="Golden example (g)"
              onClick={(event) => {
                event.stopPropagation()
                onGolden()
              }}
            >
              <Icon name="star" size={15} filled={result.golden} />
            </button>
          </div>
        </>
      )}
    </div>
  )
}
