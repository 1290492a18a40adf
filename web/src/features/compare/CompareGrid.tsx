import { Radio } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import type { Comparison } from '../../api/comparison'
import { useGolden } from '../../api/golden'
import { notifyRefused } from '../../ui/notify'
import classes from './Compare.module.css'
import { CompareRow } from './CompareRow'
import { namesOf } from './names'

interface CompareGridProps {
  comparison: Comparison
  base: number
  diff: boolean
  open: number | undefined
  onBase: (column: number) => void
  onOpen: (rowId: number | undefined) => void
}

const STEPS: Record<string, [number, number]> = {
  j: [1, 0],
  ArrowDown: [1, 0],
  k: [-1, 0],
  ArrowUp: [-1, 0],
  l: [0, 1],
  ArrowRight: [0, 1],
  h: [0, -1],
  ArrowLeft: [0, -1],
}

/** Requests down, models across; arrows move, g marks golden, Enter shows in full. */
export function CompareGrid(props: CompareGridProps) {
  const { comparison, base, diff, open, onBase, onOpen } = props
  const { benchmarks, rows } = comparison
  const [focused, setFocused] = useState({ row: 0, column: 0 })
  const grid = useRef<HTMLDivElement>(null)
  const mark = useGolden()
  const models = namesOf(benchmarks)
  const graders = new Map(
    benchmarks.flatMap((one) => one.scores.map(({ key, grader }) => [key, grader.name] as const)),
  )
  // The rows may have become fewer since.
  const focusedRow = Math.min(focused.row, rows.length - 1)

  function toggleGolden(at: number, column: number) {
    const result = rows[at]?.results[column]
    if (!result) return
    mark.mutate(
      { benchmarkId: result.benchmark_id, rowId: result.row_id, golden: !result.golden },
      {
        onError: (reason) => {
          void notifyRefused('The mark was not kept', reason)
        },
      },
    )
  }

  function onKeyDown(event: React.KeyboardEvent<HTMLDivElement>) {
    const target = event.target
    if (!(target instanceof HTMLElement) || target.role !== 'gridcell') return
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const step = STEPS[event.key]
    if (step) {
      event.preventDefault()
      const next = {
        row: Math.min(rows.length - 1, Math.max(0, focusedRow + step[0])),
        column: Math.min(models.length - 1, Math.max(0, focused.column + step[1])),
      }
      const id = String(rows[next.row]?.row_id)
      const selector = `[data-row="${id}"][data-column="${String(next.column)}"]`
      grid.current?.querySelector<HTMLElement>(selector)?.focus()
    } else if (event.key === 'g') {
      toggleGolden(focusedRow, focused.column)
    } else if (event.key === 'Enter') {
      const rowId = rows[focusedRow]?.row_id
      onOpen(rowId === open ? undefined : rowId)
    }
  }

  return (
    <div className={classes.scroller}>
      <div
        ref={grid}
        role="grid"
        aria-label="Answers side by side"
        aria-rowcount={comparison.total + 1}
        className={classes.grid}
        style={{ '--columns': models.length }}
        onKeyDown={onKeyDown}
      >
        <div role="row" aria-rowindex={1} className={`${classes.row ?? ''} ${classes.head ?? ''}`}>
          <div role="columnheader">Request</div>
          {benchmarks.map(({ benchmark }, column) => (
            <div key={benchmark.benchmark_id} role="columnheader" className={classes.model}>
              <Link
                to="/results/$benchmarkId"
                params={{ benchmarkId: benchmark.benchmark_id }}
                title="View all results"
              >
                {models[column]}
              </Link>
              <Radio
                size="xs"
                name="base"
                label="Base"
                aria-label={`Show differences from ${models[column] ?? ''}`}
                checked={column === base}
                onChange={() => {
                  onBase(column)
                }}
              />
            </div>
          ))}
        </div>
        {rows.map((row, at) => (
          <CompareRow
            key={row.row_id}
            row={row}
            at={comparison.offset + at}
            models={models}
            graders={graders}
            base={base}
            diff={diff}
            open={row.row_id === open}
            focused={at === focusedRow ? focused.column : null}
            onFocus={(column) => {
              setFocused({ row: at, column })
            }}
            onToggle={() => {
              onOpen(row.row_id === open ? undefined : row.row_id)
            }}
            onGolden={(column) => {
              toggleGolden(at, column)
            }}
          />
        ))}
      </div>
    </div>
  )
}
