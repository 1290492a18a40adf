import type { Benchmark } from '../../api/benchmarks'
import type { ScoreColumn } from '../../api/scores'
import { count, duration, moment, points, rate } from '../../ui/format'
import { Metric, Metrics } from '../../ui/Metric'

/** How sure a mean is, and what is still to come. */
function scoreNote({ interval, state, errors }: ScoreColumn) {
  const sure = interval ? `${points(interval.low)} to ${points(interval.high)}` : ''
  const ungraded = errors > 0 ? `${count(errors)} not graded` : ''
  const going = state === 'pending' ? 'grading…' : state === 'failed' ? 'the judge failed' : ''
  return [sure, ungraded, going].filter(Boolean).join(', ')
}

/** A benchmark's own figures, and the overrides it ran with. */
export function Summary({ benchmark, scores }: { benchmark: Benchmark; scores: ScoreColumn[] }) {
  const overrides = Object.entries(benchmark.sampling).filter(([, value]) => value != null)
  const done = benchmark.completed + benchmark.failed
  const imported = benchmark.engine === 'imported'
  return (
    <Metrics>
      {scores.map((one) => (
        <Metric
          key={one.key}
          label={one.grader.name}
          value={points(one.mean)}
          unit="points"
          note={scoreNote(one)}
        />
      ))}
      {!imported && (
        <>
          <Metric label="Total time" value={duration(benchmark.total_time_seconds)} />
          <Metric label="Throughput" value={rate(benchmark.throughput)} unit="tok/s" />
        </>
      )}
      <Metric label="Requests" value={`${count(done)} / ${count(benchmark.total)}`} />
      <Metric label="Failed" value={count(benchmark.failed)} />
      <Metric label="Prompt" value={count(benchmark.prompt_tokens)} unit="tokens" />
      <Metric label="Output" value={count(benchmark.output_tokens)} unit="tokens" />
      {!imported && <Metric label="Model load" value={duration(benchmark.load_seconds)} />}
      <Metric label={imported ? 'Imported' : 'Started'} value={moment(benchmark.started_at)} />
      {overrides.length > 0 && (
        <Metric
          label="Overrides"
          value={overrides.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ')}
        />
      )}
    </Metrics>
  )
}
