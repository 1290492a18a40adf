import { Button, Checkbox, Group, Table, Tooltip } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { Benchmark } from '../../api/benchmarks'
import { count, duration, moment, NONE, rate } from '../../ui/format'
import { ariaSort, SortHeader, type Order } from '../../ui/SortHeader'
import { StatusTag } from '../../ui/StatusTag'
import { Tag } from '../../ui/Tag'
import { BenchmarkMenu } from './BenchmarkMenu'
import classes from './CompletedTable.module.css'
import type { Column } from './search'

interface CompletedTableProps {
  benchmarks: Benchmark[]
  sort: Column
  order: Order
  onSort: (column: Column, order: Order) => void
  picked: string[]
  pickedDataset: string | undefined
  onPick: (ids: string[]) => void
  onDelete: (benchmark: Benchmark) => void
}

const HEADS: { column: Column; label: string; class?: string }[] = [
  { column: 'model_name', label: 'Model' },
  { column: 'dataset_name', label: 'Dataset', class: classes.wide ?? '' },
  { column: 'status', label: 'Status', class: classes.wide ?? '' },
  { column: 'total_time_seconds', label: 'Total time', class: `number ${classes.wide ?? ''}` },
  { column: 'throughput', label: 'tok/s', class: 'number' },
  { column: 'failed', label: 'Failed', class: `number ${classes.wide ?? ''}` },
  { column: 'output_tokens', label: 'Tokens', class: `number ${classes.wide ?? ''}` },
  { column: 'completed_at', label: 'Ended', class: classes.wide ?? '' },
]

/** Words begin at A, figures and dates with the largest. */
function nextOrder(props: CompletedTableProps, column: Column): Order {
  if (props.sort === column) return props.order === 'asc' ? 'desc' : 'asc'
  return ['model_name', 'dataset_name', 'status'].includes(column) ? 'asc' : 'desc'
}

export default function CompletedTable(props: CompletedTableProps) {
  const { benchmarks, sort, order, onSort } = props
  return (
    <div className={classes.scroll} role="region" aria-label="Completed list" tabIndex={0}>
      <Table verticalSpacing={8} highlightOnHover className={classes.table}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>
              <span className={classes.hidden}>Pick to compare</span>
            </Table.Th>
            {HEADS.map(({ column, label, class: name }) => (
              <Table.Th
                key={column}
                className={name}
                aria-sort={ariaSort(sort === column ? order : null)}
              >
                <SortHeader
                  label={label}
                  right={name?.startsWith('number') ?? false}
                  order={sort === column ? order : null}
                  onSort={() => {
                    onSort(column, nextOrder(props, column))
                  }}
                />
              </Table.Th>
            ))}
            <Table.Th>
              <span className={classes.hidden}>Actions</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {benchmarks.map((benchmark) => (
            <Row key={benchmark.benchmark_id} benchmark={benchmark} table={props} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function Row({ benchmark, table }: { benchmark: Benchmark; table: CompletedTableProps }) {
  const { benchmark_id: id, model_name: model, dataset_name: dataset, error } = benchmark
  const { picked, pickedDataset, onPick, onDelete } = table
  const other = pickedDataset !== undefined && pickedDataset !== benchmark.dataset_id
  return (
    <Table.Tr data-picked={picked.includes(id) || undefined}>
      <Table.Td>
        <Tooltip label="Of another dataset than the picked ones" disabled={!other}>
          <Checkbox
            size="xs"
            aria-label={`Compare ${model} on ${dataset}`}
            disabled={other}
            checked={picked.includes(id)}
            onChange={(event) => {
              const without = picked.filter((one) => one !== id)
              onPick(event.currentTarget.checked ? [...without, id] : without)
            }}
          />
        </Tooltip>
      </Table.Td>
      <Table.Td className={classes.model}>
        {model} {benchmark.engine === 'imported' && <Tag tone="calm">Imported</Tag>}
        <div className={classes.narrow}>
          {dataset} <StatusTag status={benchmark.status} />
        </div>
      </Table.Td>
      <Table.Td className={`${classes.dataset ?? ''} ${classes.wide ?? ''}`}>{dataset}</Table.Td>
      <Table.Td className={classes.wide}>
        {error === null ? (
          <StatusTag status={benchmark.status} />
        ) : (
          <Tooltip label={error} multiline maw={420}>
            <span tabIndex={0} aria-description={error}>
              <StatusTag status={benchmark.status} />
            </span>
          </Tooltip>
        )}
      </Table.Td>
      <Table.Td className={`number ${classes.wide ?? ''}`}>
        {duration(benchmark.total_time_seconds)}
      </Table.Td>
      <Table.Td className="number">
        {rate(benchmark.engine === 'imported' ? null : benchmark.throughput)}
      </Table.Td>
      <Table.Td
        className={`number ${classes.wide ?? ''}`}
        data-bad={benchmark.failed > 0 || undefined}
      >
        {count(benchmark.failed)}
        <span className={classes.of}> / {count(benchmark.total)}</span>
      </Table.Td>
      <Table.Td className={`number ${classes.wide ?? ''}`}>
        {count(benchmark.output_tokens)}
      </Table.Td>
      <Table.Td className={`${classes.when ?? ''} ${classes.wide ?? ''}`}>
        {benchmark.completed_at === null ? NONE : moment(benchmark.completed_at)}
      </Table.Td>
      <Table.Td>
        <Group gap={6} wrap="nowrap" justify="flex-end">
          <Button
            variant="default"
            size="xs"
            aria-label={`View results of ${model} on ${dataset}`}
            renderRoot={(props) => (
              <Link to="/results/$benchmarkId" params={{ benchmarkId: id }} {...props} />
            )}
          >
            View results
          </Button>
          <BenchmarkMenu benchmark={benchmark} onDelete={onDelete} />
        </Group>
      </Table.Td>
    </Table.Tr>
  )
}
