import { BarChart } from '@mantine/charts'
import '@mantine/charts/styles.css'
import type { Performance } from '../../api/performance'
import { duration, rate } from '../../ui/format'
import classes from './Results.module.css'

/** Output tokens per second over the life of a benchmark, with its other rates. */
export default function Rates({ performance }: { performance: Performance }) {
  const { over_time: intervals, seconds } = performance
  const bars = intervals.map((one) => ({
    time: `${duration(one.start_seconds)} – ${duration(one.end_seconds)}`,
    'tok/s': one.output_tokens_per_second,
  }))
  const figures: [string, number][] = [
    ['output', performance.output_tokens_per_second],
    ['prompt', performance.prompt_tokens_per_second],
    ['total', performance.total_tokens_per_second],
    ['requests', performance.requests_per_second],
  ]
  const words = figures.map(([name, value]) => `${name} ${rate(value)}`).join(', ')
  return (
    <figure className={classes.histogram}>
      <figcaption>Output tokens per second</figcaption>
      <div role="img" aria-label={`Rates per second: ${words}`}>
        <BarChart
          h={110}
          data={bars}
          dataKey="time"
          series={[{ name: 'tok/s', color: 'indigo.5' }]}
          withYAxis={false}
          withXAxis={false}
          gridAxis="none"
          barProps={{ isAnimationActive: false }}
          barChartProps={{ barCategoryGap: 0, accessibilityLayer: false }}
          valueFormatter={rate}
        />
      </div>
      <div className={classes.ends}>
        <span>0 s</span>
        <span>{duration(seconds)}</span>
      </div>
      <dl className={classes.percentiles}>
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{rate(value)}</dd>
          </div>
        ))}
      </dl>
    </figure>
  )
}
