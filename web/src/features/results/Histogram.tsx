import { BarChart } from '@mantine/charts'
import '@mantine/charts/styles.css'
import type { Distribution } from '../../api/statistics'
import { count } from '../../ui/format'
import classes from './Results.module.css'

interface HistogramProps {
  title: string
  distribution: Distribution
  format: (value: number) => string
}

/** How a figure is spread over the results, with its percentiles. */
export default function Histogram({ title, distribution, format }: HistogramProps) {
  const { histogram, p50, p90, p95, p99, mean } = distribution
  const bars = histogram.map((bin) => ({
    range: `${format(bin.from_)} – ${format(bin.to)}`,
    Requests: bin.count,
  }))
  const words = `${title}: median ${format(p50)}, 95 % below ${format(p95)}`
  const figures: [string, number][] = [
    ['mean', mean],
    ['p50', p50],
    ['p90', p90],
    ['p95', p95],
    ['p99', p99],
  ]
  return (
    <figure className={classes.histogram}>
      <figcaption>{title}</figcaption>
      <div role="img" aria-label={words}>
        <BarChart
          h={110}
          data={bars}
          dataKey="range"
          series={[{ name: 'Requests', color: 'indigo.5' }]}
          withYAxis={false}
          withXAxis={false}
          gridAxis="none"
          barProps={{ radius: 2, isAnimationActive: false }}
          barChartProps={{ barCategoryGap: 1, accessibilityLayer: false }}
          valueFormatter={count}
        />
      </div>
      <div className={classes.ends}>
        <span>{format(distribution.min)}</span>
        <span>{format(distribution.max)}</span>
      </div>
      <dl className={classes.percentiles}>
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{format(value)}</dd>
          </div>
        ))}
      </dl>
    </figure>
  )
}
