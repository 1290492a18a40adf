import { Skeleton } from '@mantine/core'
import { useDebouncedValue, useMediaQuery } from '@mantine/hooks'
import { useCallback, useState } from 'react'
import { reasonOf } from '../../api/client'
import {
  PAGE_ROWS,
  useResultPages,
  type Result,
  type ResultQuery,
  type Sort,
} from '../../api/results'
import type { ScoreColumn } from '../../api/scores'
import { Problem } from '../../ui/Problem'
import { ariaSort, SortHeader, type Order } from '../../ui/SortHeader'
import { WindowedTable } from '../../ui/WindowedTable'
import { columnsFor } from './columns'
import classes from './Results.module.css'

interface ResultTableProps {
  benchmarkId: string
  query: ResultQuery
  scores: ScoreColumn[]
  live: boolean
  current: number | undefined
  onCurrent: (at: number) => void
  onOpen: (at: number) => void
  onSort: (sort: Sort, order: Order, score: string | undefined) => void
  onGolden: (result: Result) => void
  empty: React.ReactNode
}

interface Range {
  first: number
  end: number
}

function pagesOf({ first, end }: Range, current: number | undefined): number[] {
  const from = Math.floor(first / PAGE_ROWS)
  const to = Math.floor(Math.max(first, end - 1) / PAGE_ROWS)
  const numbers = Array.from({ length: to - from + 1 }, (_, at) => from + at)
  const wanted = current === undefined ? from : Math.floor(current / PAGE_ROWS)
  return numbers.includes(wanted) ? numbers : [...numbers, wanted]
}

/** All responses: the rows in view are asked of the server a page at a time. */
export function ResultTable(props: ResultTableProps) {
  const { benchmarkId, query, scores, live, current, onCurrent, onOpen, onSort, onGolden, empty } =
    props
  const narrow = useMediaQuery('(max-width: 600px)', false, { getInitialValueInEffect: false })
  const { columns, template, minWidth } = columnsFor(narrow, scores)
  const [range, setRange] = useState<Range>({ first: 0, end: 40 })
  // While scrolling fast, only where it comes to rest is asked for.
  const [settled] = useDebouncedValue(range, 80)
  const onRange = useCallback((first: number, end: number) => {
    setRange((before) => (before.first === first && before.end === end ? before : { first, end }))
  }, [])
  const found = useResultPages(benchmarkId, query, pagesOf(settled, current), live)
  const [lastTotal, setLastTotal] = useState(0)
  if (found.total !== undefined && found.total !== lastTotal) setLastTotal(found.total)

  const resultAt = (at: number) =>
    found.pages.get(Math.floor(at / PAGE_ROWS))?.results[at % PAGE_ROWS]

  if (found.error && found.total === undefined) {
    return <Problem title="The results could not be read" message={reasonOf(found.error)} />
  }
  if (found.total === 0) return empty
  return (
    <div
      className={classes.table}
      onKeyDown={(event) => {
        const result = current === undefined ? undefined : resultAt(current)
        if (event.key === 'g' && result && !event.ctrlKey && !event.metaKey) onGolden(result)
      }}
    >
      <WindowedTable
        label="Results"
        rows={found.total ?? lastTotal}
        columns={template}
        minWidth={minWidth}
        current={current}
        onCurrent={onCurrent}
        onRange={onRange}
        onOpen={onOpen}
        head={columns.map(({ label, sort, score, right }) => {
          const sorted = query.sort === sort && (score === undefined || score === query.score)
          const order = sort !== undefined && sorted ? query.order : null
          return (
            <div
              key={score ?? label}
              role="columnheader"
              className={right ? 'number' : undefined}
              {...(sort && { 'aria-sort': ariaSort(order) })}
            >
              {sort ? (
                <SortHeader
                  label={label}
                  right={right ?? false}
                  order={order}
                  onSort={() => {
                    const first: Order = sort === 'row_id' || sort === 'custom_id' ? 'asc' : 'desc'
                    const next = order === null ? first : order === 'asc' ? 'desc' : 'asc'
                    onSort(sort, next, score)
                  }}
                />
              ) : (
                label
              )}
            </div>
          )
        })}
        row={(at) => {
          const result = resultAt(at)
          return columns.map(({ label, score, right, cell }) => (
            <div key={score ?? label} role="gridcell" className={right ? 'number' : undefined}>
              {result ? cell(result) : <Skeleton height={10} radius="xl" animate={false} />}
            </div>
          ))
        }}
      />
    </div>
  )
}
