import { Table } from '@mantine/core'
import type { ComparedBenchmark } from '../../api/comparison'
import classes from './Compare.module.css'
import { namesOf } from './names'
import { bestOf, FIGURES } from './summary'

/** Each model's figures; the best of a row stands out. */
export function SummaryTable({ benchmarks }: { benchmarks: ComparedBenchmark[] }) {
  const names = namesOf(benchmarks)
  return (
    <div className={classes.summaryTable} role="region" aria-label="Summary table" tabIndex={0}>
      <Table verticalSpacing={5} fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Figure</Table.Th>
            {benchmarks.map(({ benchmark }, at) => (
              <Table.Th key={benchmark.benchmark_id} className="number" scope="col">
                {names[at]}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {FIGURES.map((figure) => {
            const best = bestOf(figure, benchmarks)
            return (
              <Table.Tr key={figure.label}>
                <Table.Th scope="row" className={classes.figureName}>
                  {figure.label}
                </Table.Th>
                {benchmarks.map((one, at) => (
                  <Table.Td
                    key={one.benchmark.benchmark_id}
                    className="number"
                    data-best={best.has(at) || undefined}
                  >
                    {figure.format(figure.of(one))}
                  </Table.Td>
                ))}
              </Table.Tr>
            )
          })}
        </Table.Tbody>
      </Table>
    </div>
  )
}
