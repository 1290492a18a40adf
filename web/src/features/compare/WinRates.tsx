import type { Standings } from '../../api/votes'
import { percent } from '../../ui/format'
import classes from './Preferences.module.css'

interface WinRatesProps {
  standings: Standings
  names: string[]
}

const at = (share: number) => `${String(100 * share)}%`

/** Each model's expected share of votes with its interval, on one axis. */
export function WinRates({ standings, names }: WinRatesProps) {
  const rows = standings.standings
    .map((one, index) => ({ ...one, name: names[index] ?? one.benchmark_id }))
    .toSorted((a, b) => b.strength - a.strength)
  return (
    <div className={classes.chart} role="list" aria-label="Share of votes won">
      {rows.map((one) => (
        <div key={one.benchmark_id} role="listitem" className={classes.bar}>
          <span className={classes.name}>{one.name}</span>
          <span className={classes.axis} aria-hidden>
            <span className={classes.half} />
            <span
              className={classes.interval}
              style={{ left: at(one.win_rate_low), right: at(1 - one.win_rate_high) }}
            />
            <span className={classes.point} style={{ left: at(one.win_rate) }} />
          </span>
          <span className="number">
            {percent(one.win_rate)}{' '}
            <span className={classes.range}>
              [{percent(one.win_rate_low)}, {percent(one.win_rate_high)}]
            </span>
          </span>
          <span className={`number ${classes.counts ?? ''}`}>
            {one.wins} won, {one.losses} lost, {one.ties + one.both_bad} tied
          </span>
        </div>
      ))}
    </div>
  )
}
