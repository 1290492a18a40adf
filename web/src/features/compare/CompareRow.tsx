import type { ComparedRow } from '../../api/comparison'
import { percent } from '../../ui/format'
import { Tag } from '../../ui/Tag'
import { Cell } from './Cell'
import classes from './Compare.module.css'

interface CompareRowProps {
  row: ComparedRow
  at: number
  models: string[]
  graders: Map<string, string>
  base: number
  diff: boolean
  open: boolean
  /** The cell of this row that the keyboard is on. */
  focused: number | null
  onFocus: (column: number) => void
  onToggle: () => void
  onGolden: (column: number) => void
}

const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** One request and every model's answer to it. */
export function CompareRow(props: CompareRowProps) {
  const { row, at, models, graders, base, diff, open, focused, onFocus, onToggle, onGolden } = props
  const baseText = row.results[base]?.text ?? null
  return (
    <div role="row" aria-rowindex={at + 2} className={classes.row} data-open={open || undefined}>
      <div role="rowheader" className={classes.request}>
        <div className={classes.requestHead}>
          <strong>{row.custom_id}</strong>
          <Tag tone={row.similarity < 0.5 ? 'warn' : 'calm'}>
            {row.agreement === 'normalized'
              ? 'same but for form'
              : `${percent(row.similarity)} alike`}
          </Tag>
        </div>
        <div className={`plain ${classes.prompt ?? ''}`}>{row.prompt}</div>
        {row.expected != null && (
          <div className={`plain ${classes.expected ?? ''}`}>
            <span>Expected</span> {asText(row.expected)}
          </div>
        )}
        <button type="button" className={classes.more} aria-expanded={open} onClick={onToggle}>
          {open ? 'Show less' : 'Show in full'}
        </button>
      </div>
      {row.results.map((result, column) => (
        <Cell
          key={column}
          result={result}
          model={models[column] ?? ''}
          graders={graders}
          base={diff && column !== base ? baseText : null}
          row={row.row_id}
          column={column}
          focusable={focused === column}
          onFocus={() => {
            onFocus(column)
          }}
          onGolden={() => {
            onGolden(column)
          }}
        />
      ))}
    </div>
  )
}
