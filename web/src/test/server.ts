import { http, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import type { Schemas } from '../api/client'
import { someStandings } from './judgements'
import {
  aBenchmark,
  aDataset,
  aModel,
  aRequest,
  aResult,
  somePerformance,
  someStatistics,
} from './records'

export const API = window.location.origin

export const refusal = (status: number, problem: Schemas['Problem']) =>
  HttpResponse.json({ error: problem }, { status })

/** Benchmarks as the list answers them, by the statuses that are asked for. */
export const benchmarks = (...all: Schemas['Benchmark'][]) =>
  http.get(`${API}/admin/benchmarks`, ({ request }) => {
    const statuses = new URL(request.url).searchParams.getAll('status')
    const found = all.filter((one) => statuses.length === 0 || statuses.includes(one.status))
    return HttpResponse.json({ benchmarks: found, total: found.length })
  })

export const datasets = (...all: Schemas['Dataset'][]) =>
  http.get(`${API}/admin/datasets`, () => HttpResponse.json({ datasets: all, total: all.length }))

/** A page of results; `seen` hears every request's parameters. */
export const results = (total: number, seen: (search: URLSearchParams) => void = () => undefined) =>
  http.get(`${API}/admin/benchmarks/:id/results`, ({ request }) => {
    const search = new URL(request.url).searchParams
    seen(search)
    const [limit, offset] = [Number(search.get('limit')), Number(search.get('offset'))]
    const many = Math.max(0, Math.min(limit, total - offset))
    return HttpResponse.json({
      ...aBenchmark(),
      results: Array.from({ length: many }, (_, at) => aResult(offset + at)),
      total,
      limit,
      offset,
      next_cursor: null,
    })
  })

/** A service with one dataset, two models and one benchmark that has ended. */
export const server = setupServer(
  http.get(`${API}/health`, () => HttpResponse.json({ status: 'ok' })),
  http.get(`${API}/admin/me`, () =>
    HttpResponse.json({ name: null, scope: 'admin', logged_in: false, version: '0' }),
  ),
  http.get(`${API}/admin/models`, () =>
    HttpResponse.json({
      models: [
        aModel(),
        aModel({
          model_id: 'org/large',
          name: 'Large',
          fit: {
            verdict: 'does_not_fit',
            fits: false,
            reason: 'needs 80 GiB on one GPU; the largest has 16 GiB',
          },
        }),
      ],
    }),
  ),
  datasets(aDataset()),
  benchmarks(aBenchmark()),
  http.get(`${API}/admin/benchmarks/:id`, ({ params }) =>
    HttpResponse.json(aBenchmark({ benchmark_id: String(params['id']) })),
  ),
  results(5000),
  http.get(`${API}/admin/benchmarks/:id/results/:row`, ({ params }) =>
    HttpResponse.json({
      request: aRequest(Number(params['row'])),
      result: aResult(Number(params['row'])),
      earlier: [],
    }),
  ),
  http.get(`${API}/admin/benchmarks/:id/scores`, ({ params }) =>
    HttpResponse.json({ benchmark_id: params['id'], columns: [] }),
  ),
  http.get(`${API}/admin/graders`, () => HttpResponse.json({ graders: [], total: 0 })),
  http.get(`${API}/admin/votes/standings`, ({ request }) =>
    HttpResponse.json(someStandings(new URL(request.url).searchParams.getAll('benchmark_id'))),
  ),
  http.get(`${API}/admin/benchmarks/:id/statistics`, () => HttpResponse.json(someStatistics())),
  http.get(`${API}/admin/benchmarks/:id/performance`, () => HttpResponse.json(somePerformance())),
)
