import type { Benchmark } from '../../api/benchmarks'
import { count, duration, moment, rate } from '../../ui/format'
import { Metric, Metrics } from '../../ui/Metric'

/** A benchmark's own figures, and the overrides it ran with. */
export function Summary({ benchmark }: { benchmark: Benchmark }) {
  const overrides = Object.entries(benchmark.sampling).filter(([, value]) => value != null)
  const done = benchmark.completed + benchmark.failed
  const imported = benchmark.engine === 'imported'
  return (
    <Metrics>
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
