import type { GraderVerdict } from '../../api/verdicts'
import { count, percent, points } from '../../ui/format'
import classes from './Verdict.module.css'

interface GraderVerdictCardProps {
  verdict: GraderVerdict
  names: string[]
}

/** What one grader's scores say: the sentence, then each model's mean with its interval. */
export function GraderVerdictCard({ verdict, names }: GraderVerdictCardProps) {
  const pending = verdict.columns.some((one) => one?.state === 'pending')
  const noise = verdict.noise.filter((one) => one.changed !== null)
  return (
    <div className={classes.verdict}>
      <p className={classes.headline}>
        <span className={classes.grader}>{verdict.name}</span> {verdict.headline}
        {pending && <span className={classes.pending}> Still grading…</span>}
      </p>
      <ul className={classes.means}>
        {verdict.columns.map((column, at) => {
          if (column?.mean == null) return null
          const { low, high } = column.interval ?? { low: column.mean, high: column.mean }
          const bar = {
            '--low': `${String(100 * low)}%`,
            '--high': `${String(100 * high)}%`,
            '--mean': `${String(100 * column.mean)}%`,
          }
          return (
            <li key={column.key + column.benchmark_id}>
              <span className={classes.model}>{names[at]}</span>
              <span className={classes.track} style={bar} aria-hidden>
                <span className={classes.range} />
                <span className={classes.dot} />
              </span>
              <span className={classes.figure}>
                {points(column.mean)} [{points(low)}, {points(high)}]
              </span>
              <span className={classes.rows}>
                {count(column.scored)} rows
                {column.errors > 0 && `, ${count(column.errors)} not graded`}
              </span>
            </li>
          )
        })}
      </ul>
      {verdict.differences.length > 1 && (
        <details>
          <summary>Each pair, corrected for {verdict.differences.length} comparisons</summary>
          <ul className={classes.pairs}>
            {verdict.differences.map((one) => (
              <li key={one.first_id + one.second_id}>{one.sentence}</li>
            ))}
          </ul>
        </details>
      )}
      {noise.map((one) => (
        <p key={one.benchmark_id} className={classes.hint}>
          Run again, {names[verdict.columns.findIndex((c) => c?.benchmark_id === one.benchmark_id)]}{' '}
          scores otherwise in {percent(one.changed ?? 0)} of {count(one.rows)} rows, by{' '}
          {points(one.difference)} points in the mean.
        </p>
      ))}
    </div>
  )
}
