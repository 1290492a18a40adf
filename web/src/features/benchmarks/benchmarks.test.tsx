import { screen, waitFor, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { forward } from '../../api/forward'
import { aBenchmark, running } from '../../test/records'
import { open } from '../../test/render'
import { API, benchmarks, server } from '../../test/server'

test('counts never go backwards while a benchmark lives', () => {
  const seen = running({ completed: 900, failed: 3, progress: 18, output_tokens: 700 })
  const behind = running({ completed: 400, failed: 1, progress: 8, output_tokens: 300 })
  expect(forward(seen, behind)).toMatchObject({
    completed: 900,
    failed: 3,
    progress: 18,
    output_tokens: 700,
  })
  // Started again: a new count.
  const again = running({ completed: 0, started_at: '2026-02-02T00:00:00Z' })
  expect(forward(seen, again).completed).toBe(0)
})

test('a card follows its benchmark, and keeps its counts when a reading falls behind', async () => {
  const readings = [
    running({ completed: 500 }),
    running({ completed: 200 }),
    running({ completed: 700 }),
  ]
  let at = 0
  server.use(
    http.get(`${API}/admin/benchmarks`, ({ request }) => {
      if (!request.url.includes('running')) return HttpResponse.json({ benchmarks: [], total: 0 })
      const reading = readings[Math.min(at, readings.length - 1)]
      at += 1
      return HttpResponse.json({ benchmarks: [reading], total: 1 })
    }),
  )
  open('/runner')
  const card = await screen.findByRole('listitem', { name: 'Small on candidates.jsonl' })
  expect(within(card).getByText('500 / 5,000')).toBeVisible()
  expect(within(card).getByText('about 2–3 h')).toBeVisible()
  await waitFor(
    () => {
      expect(at).toBe(2)
    },
    { timeout: 4_000 },
  )
  expect(within(card).getByText('500 / 5,000')).toBeVisible()
  expect(await within(card).findByText('700 / 5,000', {}, { timeout: 4_000 })).toBeVisible()
})

test('when the server goes away the page says so, and recovers by itself', async () => {
  server.use(benchmarks(running({ completed: 500 })))
  open('/runner')
  expect(await screen.findByText('500 / 5,000')).toBeVisible()
  server.use(
    http.get(`${API}/health`, () => HttpResponse.error()),
    http.get(`${API}/admin/benchmarks`, () => HttpResponse.error()),
  )
  expect(await screen.findByText('Server away, retrying.', {}, { timeout: 5_000 })).toBeVisible()
  expect(screen.getByText('500 / 5,000')).toBeVisible()
  server.resetHandlers()
  server.use(benchmarks(running({ completed: 900 })))
  expect(await screen.findByText('900 / 5,000', {}, { timeout: 8_000 })).toBeVisible()
  await waitFor(
    () => {
      expect(screen.queryByText('Server away, retrying.')).not.toBeInTheDocument()
    },
    { timeout: 5_000 },
  )
})

test('two benchmarks of one dataset are picked to compare; another dataset cannot join', async () => {
  server.use(
    benchmarks(
      aBenchmark({ benchmark_id: 'bm_1', model_name: 'A' }),
      aBenchmark({ benchmark_id: 'bm_2', model_name: 'B' }),
      aBenchmark({ benchmark_id: 'bm_3', model_name: 'C', dataset_id: 'ds_2', dataset_name: 'o' }),
    ),
  )
  const { user, search } = open('/runner')
  await user.click(await screen.findByRole('checkbox', { name: 'Compare A on candidates.jsonl' }))
  expect(screen.getByRole('checkbox', { name: 'Compare C on o' })).toBeDisabled()
  await user.click(screen.getByRole('checkbox', { name: 'Compare B on candidates.jsonl' }))
  expect(search()).toMatchObject({ pick: 'bm_1,bm_2' })
  expect(await screen.findByRole('link', { name: 'Compare 2' })).toHaveAttribute(
    'href',
    expect.stringContaining('/compare?ids=bm_1%2Cbm_2'),
  )
})

test('the completed list sorts and filters in the URL', async () => {
  server.use(
    benchmarks(
      aBenchmark({ benchmark_id: 'bm_1', model_name: 'Slow', throughput: 10 }),
      aBenchmark({ benchmark_id: 'bm_2', model_name: 'Fast', throughput: 900 }),
    ),
  )
  const { user, search } = open('/runner')
  await user.click(await screen.findByRole('button', { name: 'tok/s' }))
  const list = screen.getByRole('region', { name: 'Completed list' })
  await waitFor(() => {
    expect(within(list).getAllByRole('row')[1]).toHaveTextContent('Fast')
  })
  expect(search()).toMatchObject({ sort: 'throughput', order: 'desc' })
  await user.type(screen.getByRole('textbox', { name: 'Filter by model or dataset' }), 'slow')
  await waitFor(() => {
    expect(within(list).getAllByRole('row')).toHaveLength(2)
  })
})

test.each([
  { completed: 5000, failed: 0, name: 'Retry failed requests', enabled: false },
  { completed: 4990, failed: 10, name: 'Retry failed requests', enabled: true },
  { completed: 100, failed: 0, name: 'Do what is missing', enabled: true },
])('an ended benchmark offers what is left: $name', async ({ name, enabled, ...counts }) => {
  server.use(benchmarks(aBenchmark({ status: 'failed', error: 'The storage is full.', ...counts })))
  const { user } = open('/runner')
  await user.click(await screen.findByRole('button', { name: /^Actions for/ }))
  const item = await screen.findByRole('menuitem', { name })
  expect(item.hasAttribute('disabled') || item.dataset['disabled'] === 'true').toBe(!enabled)
})
