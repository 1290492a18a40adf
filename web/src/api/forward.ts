import type { Schemas } from './client'

type Benchmark = Schemas['Benchmark']
type BenchmarkList = Schemas['BenchmarkList']

/**
 * A newer reading of a live benchmark, never behind the older one: a restarted tracker may report
 * less for a moment, while it rebuilds its counts from storage.
 */
export function forward(old: Benchmark | undefined, next: Benchmark): Benchmark {
  if (old?.benchmark_id !== next.benchmark_id) return next
  if (old.started_at !== next.started_at && old.status !== 'queued') return next
  const completed = Math.max(old.completed, next.completed)
  return {
    ...next,
    completed,
    failed: Math.min(Math.max(old.failed, next.failed), next.total - completed),
    progress: Math.max(old.progress, next.progress),
    prompt_tokens: Math.max(old.prompt_tokens, next.prompt_tokens),
    output_tokens: Math.max(old.output_tokens, next.output_tokens),
  }
}

/** `forward` over a whole list of live benchmarks. */
export function forwardList(old: BenchmarkList | undefined, next: BenchmarkList): BenchmarkList {
  const before = new Map(old?.benchmarks.map((one) => [one.benchmark_id, one]))
  return {
    ...next,
    benchmarks: next.benchmarks.map((one) => forward(before.get(one.benchmark_id), one)),
  }
}
