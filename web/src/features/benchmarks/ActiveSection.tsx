import { Skeleton } from '@mantine/core'
import { reasonOf } from '../../api/client'
import { useActiveBenchmarks } from '../../api/benchmarks'
import { Empty } from '../../ui/Empty'
import { Problem } from '../../ui/Problem'
import { Section } from '../../ui/Section'
import { ActiveCard } from './ActiveCard'
import classes from './ActiveCard.module.css'

/** What runs and what waits, followed every 2 s. */
export function ActiveSection() {
  const { data, error, dataUpdatedAt, refetch } = useActiveBenchmarks()
  const running = data?.benchmarks.filter((one) => one.status !== 'queued').length ?? 0
  const queued = (data?.benchmarks.length ?? 0) - running
  // Admitted ones in their order of start; then the queue, next first.
  const sorted = data?.benchmarks.toSorted(
    (a, b) =>
      (a.queue_position ?? 0) - (b.queue_position ?? 0) || a.started_at.localeCompare(b.started_at),
  )
  const note =
    data && (running > 0 || queued > 0)
      ? `${String(running)} running, ${String(queued)} queued`
      : undefined
  return (
    <Section title="Active benchmarks" note={note}>
      {error && data && (
        <p role="alert" className={classes.stale}>
          Could not refresh: {reasonOf(error)} What you see is the last reading; retrying every 2 s.
        </p>
      )}
      {error && !data && (
        <Problem
          title="The benchmarks could not be read"
          message={reasonOf(error)}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton height={120} />}
      {sorted?.length === 0 && (
        <Empty icon="bars" title="Nothing is running">
          Choose a dataset and one or more models above and press <em>Run benchmark</em>. Progress,
          throughput and the time left appear here.
        </Empty>
      )}
      {sorted && sorted.length > 0 && (
        <ul className={classes.cards}>
          {sorted.map((benchmark) => (
            <ActiveCard key={benchmark.benchmark_id} benchmark={benchmark} readAt={dataUpdatedAt} />
          ))}
        </ul>
      )}
    </Section>
  )
}
