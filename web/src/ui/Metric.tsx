import type { ReactNode } from 'react'
import classes from './Metric.module.css'

interface MetricProps {
  label: string
  value: ReactNode
  unit?: string
  note?: ReactNode
}

/** A figure under its name; to stand in a `Metrics` list. */
export function Metric({ label, value, unit, note }: MetricProps) {
  return (
    <div className={classes.metric}>
      <dt>{label}</dt>
      <dd>
        {value}
        {unit !== undefined && <span className={classes.unit}> {unit}</span>}
        {note !== undefined && <span className={classes.note}>{note}</span>}
      </dd>
    </div>
  )
}

export function Metrics({ children }: { children: ReactNode }) {
  return <dl className={classes.metrics}>{children}</dl>
}
