import { Button, Progress } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { useBenchmarkAction } from '../../api/benchmark-actions'
import type { Benchmark } from '../../api/benchmarks'
import { useThroughput } from '../../api/throughput'
import { Confirm } from '../../ui/Confirm'
import { between, clockTime, count, duration, rate } from '../../ui/format'
import { Icon } from '../../ui/Icon'
import { Metric, Metrics } from '../../ui/Metric'
import { Tag } from '../../ui/Tag'
import classes from './ActiveCard.module.css'
import { LogButton } from './LogButton'

// With its chart library it weighs more than the rest of the page.
const Sparkline = lazy(() => import('./Sparkline'))

function phaseWords({ status, phase, queue_position: position, attempts }: Benchmark): string {
  if (status === 'cancelling') return 'Cancelling'
  if (status === 'queued') return position === null ? 'Queued' : `Queued, no. ${String(position)}`
  if (phase === 'loading') return attempts > 1 ? 'Loading model again' : 'Loading model'
  return phase === 'finalizing' ? 'Writing results' : 'Running'
}

function Eta({ benchmark, readAt }: { benchmark: Benchmark; readAt: number }) {
  const { status, eta_seconds: seconds, eta_low_seconds: low, eta_high_seconds: high } = benchmark
  if (status !== 'running' || seconds <= 0) return <Metric label="Time left" value="–" note="" />
  const known = low !== null && high !== null
  return (
    <Metric
      label="Time left"
      value={known ? `about ${between(low, high)}` : `≥ ${duration(seconds)}`}
      note={`ends about ${clockTime(new Date(readAt + seconds * 1000))}`}
    />
  )
}

/** One live benchmark: how far, how fast, how long still. */
export function ActiveCard({ benchmark, readAt }: { benchmark: Benchmark; readAt: number }) {
  const { benchmark_id: id, model_name: model, dataset_name: dataset, status } = benchmark
  const samples = useThroughput(benchmark, readAt)
  const cancel = useBenchmarkAction('cancel')
  const [asking, setAsking] = useState(false)
  const done = benchmark.completed + benchmark.failed
  const share = benchmark.total > 0 ? (done / benchmark.total) * 100 : 0
  return (
    <li className={classes.card} aria-label={`${model} on ${dataset}`}>
      <div className={classes.head}>
        <div className={classes.title}>
          <strong>{model}</strong>
          <span className={classes.on}>on {dataset}</span>
          <Tag tone={status === 'queued' ? 'calm' : status === 'cancelling' ? 'warn' : 'live'}>
            {phaseWords(benchmark)}
          </Tag>
        </div>
        <div className={classes.actions}>
          {done > 0 && (
            <Button
              variant="default"
              size="xs"
              renderRoot={(props) => (
                <Link to="/results/$benchmarkId" params={{ benchmarkId: id }} {...props} />
              )}
            >
              Results so far
            </Button>
          )}
          <LogButton benchmark={benchmark} />
          <Button
            variant="default"
            size="xs"
            leftSection={<Icon name="stop" size={12} />}
            disabled={status === 'cancelling'}
            onClick={() => {
              setAsking(true)
            }}
          >
            Cancel
          </Button>
        </div>
      </div>
      <Progress.Root size={8} mt={12}>
        <Progress.Section
          value={share}
          color="indigo"
          animated={status === 'running' && benchmark.phase === 'running'}
          aria-label={`Progress of ${model} on ${dataset}`}
        />
      </Progress.Root>
      <div className={classes.figures}>
        <Metrics>
          <Metric
            label="Requests"
            value={`${count(done)} / ${count(benchmark.total)}`}
            note={`${String(benchmark.progress)} %`}
          />
          <Metric label="Failed" value={count(benchmark.failed)} />
          <Metric
            label="Output"
            value={rate(benchmark.throughput)}
            unit="tok/s"
            note={`${count(benchmark.output_tokens)} tokens`}
          />
          <Eta benchmark={benchmark} readAt={readAt} />
        </Metrics>
        {samples.length > 1 && (
          <div className={classes.spark}>
            <Suspense>
              <Sparkline samples={samples} label={`Throughput of ${model} while watching`} />
            </Suspense>
          </div>
        )}
      </div>
      <Confirm
        opened={asking}
        title="Cancel this benchmark?"
        action="Cancel benchmark"
        busy={cancel.isPending}
        error={cancel.error}
        onClose={() => {
          setAsking(false)
        }}
        onConfirm={() => {
          cancel.mutate(id, {
            onSuccess: () => {
              setAsking(false)
            },
          })
        }}
      >
        {model} stops after {count(done)} of {count(benchmark.total)} requests. What has finished
        stays readable.
      </Confirm>
    </li>
  )
}
