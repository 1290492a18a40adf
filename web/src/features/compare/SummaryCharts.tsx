import { BarChart } from '@mantine/charts'
import '@mantine/charts/styles.css'
import type { ComparedBenchmark } from '../../api/comparison'
import { milliseconds, rate } from '../../ui/format'
import classes from './Compare.module.css'
import { namesOf } from './names'

interface ChartProps {
  title: string
  data: Record<string, string | number>[]
  series: { name: string; color: string }[]
  format: (value: number) => string
}

function Chart({ title, data, series, format }: ChartProps) {
  const words = data.map((one) =>
    series
      .map(({ name }) => `${String(one['model'])} ${name} ${format(Number(one[name]))}`)
      .join(', '),
  )
  return (
    <figure className={classes.chart}>
      <figcaption>{title}</figcaption>
      <div role="img" aria-label={`${title}: ${words.join('; ')}`}>
        <BarChart
          h={38 + data.length * (series.length > 1 ? 40 : 28)}
          orientation="vertical"
          data={data}
          dataKey="model"
          series={series}
          gridAxis="none"
          tickLine="none"
          withXAxis={false}
          withLegend={series.length > 1}
          yAxisProps={{ width: 120 }}
          barProps={{ radius: 3, isAnimationActive: false, maxBarSize: 18 }}
          barChartProps={{ accessibilityLayer: false }}
          valueFormatter={format}
        />
      </div>
    </figure>
  )
}

/** Throughput and latency of the models beside each other. */
export default function SummaryCharts({ benchmarks }: { benchmarks: ComparedBenchmark[] }) {
  const names = namesOf(benchmarks)
  // Of imported results neither is known, which is not the same as nothing.
  const throughput = benchmarks.flatMap(({ benchmark }, at) =>
    benchmark.engine === 'imported'
      ? []
      : [{ model: names[at] ?? '', 'tok/s': benchmark.throughput }],
  )
  const latency = benchmarks.flatMap(({ statistics: { latency_ms: known } }, at) =>
    known ? [{ model: names[at] ?? '', p50: known.p50, p95: known.p95 }] : [],
  )
  return (
    <>
      <Chart
        title="Throughput"
        data={throughput}
        series={[{ name: 'tok/s', color: 'indigo.5' }]}
        format={rate}
      />
      <Chart
        title="Latency"
        data={latency}
        series={[
          { name: 'p50', color: 'indigo.5' },
          { name: 'p95', color: 'indigo.3' },
        ]}
        format={milliseconds}
      />
    </>
  )
}
