import { Sparkline as Line } from '@mantine/charts'
import type { Sample } from '../../api/throughput'
import { rate } from '../../ui/format'

/** Throughput over the time this page has watched. */
export default function Sparkline({ samples, label }: { samples: Sample[]; label: string }) {
  const rates = samples.map((one) => one.rate)
  const now = rate(rates.at(-1))
  return (
    <div role="img" aria-label={`${label}: now ${now} tok/s, highest ${rate(Math.max(...rates))}`}>
      <Line
        h={44}
        data={rates}
        color="indigo.5"
        fillOpacity={0.18}
        strokeWidth={1.5}
        curveType="linear"
      />
    </div>
  )
}
