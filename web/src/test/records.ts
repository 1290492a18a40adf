import type { Schemas } from '../api/client'

/** Records as the API would send them, to be varied by a test. */

export const aDataset = (with_: Partial<Schemas['Dataset']> = {}): Schemas['Dataset'] => ({
  id: 'ds_1',
  name: 'candidates.jsonl',
  count: 5000,
  uploaded_at: '2026-01-02T03:04:05Z',
  size_bytes: 123_456,
  sha256: 'x',
  endpoints: ['/v1/chat/completions'],
  models: [],
  ...with_,
})

export const aModel = (with_: Partial<Schemas['Model']> = {}): Schemas['Model'] => ({
  model_id: 'org/small',
  name: 'Small',
  description: '',
  parameters: 135_000_000,
  weights: { gguf: [] },
  weights_bytes: 1,
  memory_gib: 1.5,
  license: 'MIT',
  engine: 'vllm',
  dtype: 'auto',
  tensor_parallel: 1,
  max_num_seqs: 1,
  engine_args: {},
  cpu_engine_args: {},
  size: '135M',
  prepared: true,
  added: false,
  fit: { verdict: 'fits', fits: true, reason: '' },
  ...with_,
})

export const aBenchmark = (with_: Partial<Schemas['Benchmark']> = {}): Schemas['Benchmark'] => ({
  benchmark_id: 'bm_1',
  model_id: 'org/small',
  model_name: 'Small',
  dataset_id: 'ds_1',
  dataset_name: 'candidates.jsonl',
  kind: 'ordinary',
  status: 'completed',
  phase: 'completed',
  progress: 100,
  completed: 5000,
  failed: 0,
  total: 5000,
  throughput: 100,
  total_throughput: 300,
  eta_seconds: 0,
  eta_low_seconds: null,
  eta_high_seconds: null,
  prompt_tokens: 1000,
  output_tokens: 2000,
  started_at: '2026-01-02T03:04:05Z',
  created_at: '2026-01-02T03:04:05Z',
  completed_at: '2026-01-02T04:04:05Z',
  total_time_seconds: 3600,
  load_seconds: 10,
  queue_position: null,
  attempts: 1,
  engine: 'vllm',
  rerun_of: null,
  error: null,
  sampling: {},
  ...with_,
})

export const running = (with_: Partial<Schemas['Benchmark']> = {}) =>
  aBenchmark({
    benchmark_id: 'bm_live',
    status: 'running',
    phase: 'running',
    progress: 10,
    completed: 500,
    eta_seconds: 9000,
    eta_low_seconds: 7200,
    eta_high_seconds: 10_800,
    completed_at: null,
    total_time_seconds: null,
    ...with_,
  })

export function aResult(rowId: number, with_: Partial<Schemas['Result']> = {}): Schemas['Result'] {
  const text = with_.text === undefined ? `answer ${String(rowId)}` : with_.text
  return {
    id: `r${String(rowId)}`,
    custom_id: `candidate-${String(rowId)}`,
    response: {
      status_code: 200,
      request_id: 'q',
      body: { choices: [{ message: { role: 'assistant', content: text } }] },
    },
    error: null,
    row_id: rowId,
    status_code: 200,
    finish_reason: 'stop',
    prompt_tokens: 10,
    cached_tokens: null,
    output_tokens: 20,
    latency_ms: 1500,
    ttft_ms: 100,
    itl_ms: 10,
    queue_ms: 1,
    finished_at: '2026-01-02T03:04:05Z',
    prompt: `question ${String(rowId)}`,
    golden: false,
    mark: null,
    scores: {},
    ...with_,
    text,
  }
}

export const aRequest = (rowId: number): Schemas['Request'] => ({
  row_id: rowId,
  custom_id: `candidate-${String(rowId)}`,
  url: '/v1/chat/completions',
  body: { messages: [{ role: 'user', content: `question ${String(rowId)}` }], temperature: 0.3 },
  extra: null,
})

export const someStatistics = (
  with_: Partial<Schemas['Statistics']> = {},
): Schemas['Statistics'] => ({
  count: 5000,
  succeeded: 5000,
  failed: 0,
  finish_reasons: { stop: 4000, length: 1000 },
  latency_ms: null,
  ttft_ms: null,
  itl_ms: null,
  queue_ms: null,
  output_tokens: null,
  prompt_tokens: null,
  ...with_,
})

/** Nothing timed, and so no chart, unless there is a rate. */
export const somePerformance = (outputRate = 0): Schemas['Performance'] => ({
  seconds: 60,
  requests_per_second: 83,
  prompt_tokens_per_second: 400,
  output_tokens_per_second: outputRate,
  total_tokens_per_second: 400 + outputRate,
  over_time: Array.from({ length: 60 }, (_, at) => ({
    start_seconds: at,
    end_seconds: at + 1,
    requests_per_second: 83,
    prompt_tokens_per_second: 400,
    output_tokens_per_second: outputRate,
    total_tokens_per_second: 400 + outputRate,
  })),
  goodput: { limits: {}, good: 5000, share: 1, requests_per_second: 83 },
})

export const aGrader = (with_: Partial<Schemas['Grader']> = {}): Schemas['Grader'] => ({
  grader_id: 'gr_1',
  name: 'right',
  dataset_id: 'ds_1',
  benchmark_id: null,
  spec: { kind: 'normalized', field: 'expected' },
  version: 'v',
  revision: 1,
  created_at: '2026-01-02T03:04:05Z',
  ...with_,
})

export const aScoreColumn = (
  with_: Partial<Schemas['ScoreColumn']> = {},
): Schemas['ScoreColumn'] => ({
  key: 'gr_1',
  grader: aGrader(),
  benchmark_id: 'bm_1',
  against_id: null,
  judge_id: null,
  state: 'complete',
  scored: 100,
  errors: 0,
  mean: 0.625,
  interval: { low: 0.52, high: 0.719, confidence: 0.95 },
  ...with_,
})
