import { screen, waitFor } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { aStanding, someStandings } from '../../test/judgements'
import { aBenchmark, aScoreColumn, someStatistics } from '../../test/records'
import { open } from '../../test/render'
import { API, refusal, server } from '../../test/server'

const answer = (benchmark: string | undefined, text: string) => ({
  benchmark_id: benchmark,
  row_id: 4,
  status_code: 200,
  text,
  finish_reason: 'stop',
  output_tokens: 3,
  latency_ms: 100,
  golden: false,
  mark: null,
  scores: { gr_1: { value: text.includes('red') ? 1 : 0, error: null, note: null } },
  diff: null,
})

const verdicts = http.get(`${API}/admin/comparisons/verdicts`, ({ request }) => {
  const ids = new URL(request.url).searchParams.getAll('benchmark_id')
  return HttpResponse.json({
    benchmark_ids: ids,
    names: ids.map((id) => `Model ${id}`),
    graders: [
      {
        name: 'right',
        spec: aScoreColumn().grader.spec,
        headline: 'Model bm_b is better by 4.1 points [1.2, 7.0].',
        columns: ids.map((benchmark_id) => aScoreColumn({ benchmark_id })),
        differences: [],
        noise: [
          { benchmark_id: ids[0], rerun_id: 'bm_c', rows: 200, changed: 0.02, difference: 0.001 },
        ],
      },
    ],
    pending: false,
    agreements: [
      {
        first_id: ids[0],
        second_id: ids[1],
        rows: 200,
        exact: 0.25,
        normalized: 0.5,
        similarity: 0.75,
      },
    ],
    noise: [],
  })
})

const comparison = http.get(`${API}/admin/comparisons`, ({ request }) => {
  const ids = new URL(request.url).searchParams.getAll('benchmark_id')
  return HttpResponse.json({
    benchmarks: ids.map((id) => ({
      benchmark: aBenchmark({ benchmark_id: id, model_name: `Model ${id}` }),
      statistics: someStatistics(),
      scores: [aScoreColumn({ benchmark_id: id })],
    })),
    rows: [
      {
        row_id: 4,
        custom_id: 'candidate-4',
        prompt: 'Who is it?',
        expected: 'Ada',
        similarity: 0.2,
        agreement: 'different',
        results: [answer(ids[0], 'the red house'), answer(ids[1], 'the blue house')],
      },
    ],
    total: 1,
    unmatched: 0,
    limit: 25,
    offset: 0,
  })
})

test('answers stand side by side with their differences marked', async () => {
  server.use(comparison, verdicts)
  open('/compare?ids=bm_a,bm_b')
  expect(await screen.findByText('candidate-4')).toBeVisible()
  expect(screen.getByText('blue').tagName).toBe('INS')
  expect(screen.getByText('red').tagName).toBe('DEL')
  expect(screen.getByText('20 % alike')).toBeVisible()
})

test('a large comparison says how far it is and appears when it is ready', async () => {
  let asked = 0
  server.use(
    verdicts,
    http.get(`${API}/admin/comparisons`, () => {
      asked += 1
      if (asked > 1) return undefined
      return refusal(409, { code: 'not_ready', message: 'Wait.', details: { progress: 0.4 } })
    }),
    comparison,
  )
  open('/compare?ids=bm_a,bm_b')
  expect(await screen.findByText(/40 % done/)).toBeVisible()
  expect(screen.getByRole('progressbar', { name: 'Answers compared' })).toBeVisible()
  expect(await screen.findByText('candidate-4', {}, { timeout: 5_000 })).toBeVisible()
})

test('g marks the focused answer golden, and a refusal takes it back', async () => {
  const marked: string[] = []
  server.use(
    comparison,
    verdicts,
    http.put(`${API}/admin/benchmarks/:id/results/4/golden`, ({ params }) => {
      marked.push(String(params['id']))
      return refusal(409, { code: 'x', message: 'Not now.', details: {} })
    }),
  )
  const { user } = open('/compare?ids=bm_a,bm_b')
  const [first] = await screen.findAllByRole('gridcell')
  first?.focus()
  await user.keyboard('{ArrowRight}g')
  await waitFor(() => {
    expect(marked).toEqual(['bm_b'])
  })
  await waitFor(() => {
    expect(screen.getByRole('button', { name: 'Golden: Model bm_b, row 4' })).toHaveAttribute(
      'aria-pressed',
      'false',
    )
  })
})

test('what people prefer is said in words and figures', async () => {
  server.use(
    comparison,
    verdicts,
    http.get(`${API}/admin/votes/standings`, () =>
      HttpResponse.json(
        someStandings([], {
          standings: [
            aStanding('bm_a', { win_rate: 0.25, win_rate_low: 0.1, win_rate_high: 0.4, wins: 5 }),
            aStanding('bm_b', {
              strength: 1,
              win_rate: 0.75,
              win_rate_low: 0.6,
              win_rate_high: 0.9,
              wins: 15,
            }),
          ],
          votes: 20,
          voters: [{ author: 'Ada', votes: 20, last_voted_at: '2026-01-02T03:04:05Z' }],
          verdict: 'Model bm_b is preferred.',
        }),
      ),
    ),
  )
  open('/compare?ids=bm_a,bm_b')
  expect(await screen.findByText('Model bm_b is preferred.')).toBeVisible()
  const rates = screen.getAllByRole('listitem').map((one) => one.textContent)
  expect(rates).toContain('Model bm_b75 % [60 %, 90 %]15 won, 0 lost, 0 tied')
  expect(screen.getByText(/^20 votes by Ada \(20\)/)).toBeVisible()
  expect(screen.getByRole('link', { name: 'Vote blind' })).toHaveAttribute(
    'href',
    '/vote?benchmark_id=bm_a%2Cbm_b',
  )
})

test('without two benchmarks the page says how to pick them', async () => {
  open('/compare')
  expect(await screen.findByText('Pick two or more benchmarks')).toBeVisible()
})

test('the verdict stands on top, with means, intervals and the noise floor', async () => {
  server.use(comparison, verdicts)
  const { user } = open('/compare?ids=bm_a,bm_b&q=red')
  expect(await screen.findByText(/is better by 4.1 points/)).toBeVisible()
  expect(screen.getAllByText('62.5 [52, 71.9]')).toHaveLength(2)
  expect(screen.getByText(/scores otherwise in 2 % of 200 rows/)).toBeVisible()
  expect(screen.getByText('right 100')).toBeVisible()
  await user.click(screen.getByRole('button', { name: 'Export' }))
  expect(await screen.findByRole('menuitem', { name: 'Report (HTML)' })).toHaveAttribute(
    'href',
    '/admin/comparisons/download?benchmark_id=bm_a&benchmark_id=bm_b&format=html&q=red&sort=disagreement&order=asc',
  )
})
