import { useElementSize, useMergedRef } from '@mantine/hooks'
import { useEffect, useId, useRef, useState, type ReactNode } from 'react'
import { scrollTo, scrollWindow } from './scroll-window'
import classes from './WindowedTable.module.css'

const ROW = 36
const HEAD = 36
// What is rendered where nothing can be measured, as in tests.
const UNMEASURED = 600

interface WindowedTableProps {
  label: string
  rows: number
  columns: string
  minWidth: number
  head: ReactNode
  /** The cells of a row. */
  row: (at: number) => ReactNode
  current: number | undefined
  onCurrent: (at: number) => void
  onOpen: (at: number) => void
  onRange: (first: number, end: number) => void
}

/** A grid that renders only the rows in view, however many there are. */
export function WindowedTable(props: WindowedTableProps) {
  const { label, rows, columns, minWidth, head, row, current, onCurrent, onOpen, onRange } = props
  const id = useId()
  const { ref: sizeRef, height: measured } = useElementSize()
  const scroller = useRef<HTMLDivElement>(null)
  const ref = useMergedRef(sizeRef, scroller)
  const [scrollTop, setScrollTop] = useState(0)
  const viewport = Math.max(ROW, (measured || UNMEASURED) - HEAD)
  const { height, first, end, top } = scrollWindow(rows, ROW, viewport, scrollTop)

  useEffect(() => {
    onRange(first, end)
  }, [first, end, onRange])

  useEffect(() => {
    const element = scroller.current
    if (!element || current === undefined || rows === 0) return
    element.scrollTop = scrollTo(current, rows, ROW, viewport, element.scrollTop)
  }, [current, rows, viewport])

  function onKeyDown(event: React.KeyboardEvent) {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey)
      return
    const at = current ?? -1
    const page = Math.max(1, Math.floor(viewport / ROW) - 1)
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      j: at + 1,
      ArrowUp: at - 1,
      k: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows - 1,
    }
    const next = steps[event.key]
    if (next !== undefined && rows > 0) {
      event.preventDefault()
      onCurrent(Math.min(rows - 1, Math.max(0, next)))
    } else if (event.key === 'Enter' && current !== undefined) {
      event.preventDefault()
      onOpen(current)
    }
  }

  const shown = Array.from({ length: Math.max(0, end - first) }, (_, at) => first + at)
  const inView = current !== undefined && current >= first && current < end
  return (
    <div
      ref={ref}
      role="grid"
      tabIndex={0}
      aria-label={label}
      aria-rowcount={rows + 1}
      aria-activedescendant={inView ? `${id}-${String(current)}` : undefined}
      className={classes.scroller}
      onKeyDown={onKeyDown}
      onScroll={(event) => {
        setScrollTop(event.currentTarget.scrollTop)
      }}
    >
      <div role="rowgroup" className={classes.head} style={{ minWidth }}>
        <div
          role="row"
          aria-rowindex={1}
          className={classes.row}
          style={{ gridTemplateColumns: columns }}
        >
          {head}
        </div>
      </div>
      <div role="rowgroup" className={classes.body} style={{ height, minWidth }}>
        {shown.map((at) => (
          <div
            key={at}
            id={`${id}-${String(at)}`}
            role="row"
            aria-rowindex={at + 2}
            aria-selected={at === current}
            data-current={at === current || undefined}
            className={classes.row}
            style={{
              gridTemplateColumns: columns,
              transform: `translateY(${String(top + (at - first) * ROW)}px)`,
            }}
            onClick={() => {
              onOpen(at)
            }}
          >
            {row(at)}
          </div>
        ))}
      </div>
    </div>
  )
}
