import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { delay, http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { aGrader, aRequest, aResult, aScoreColumn, somePerformance } from '../../test/records'
import { open } from '../../test/render'
import { API, refusal, results, server } from '../../test/server'

test('filters and order live in the URL and reach the server', async () => {
  const asked: string[] = []
  server.use(results(5000, (search) => asked.push(search.toString())))
  const { user, search } = open('/results/bm_1?outcome=succeeded&sort=latency_ms&order=desc')
  await screen.findByText('answer 0')
  expect(asked[0]).toContain('outcome=succeeded&sort=latency_ms&order=desc')
  await user.type(screen.getByRole('searchbox'), 'ada')
  await waitFor(() => {
    expect(search()).toMatchObject({ q: 'ada', outcome: 'succeeded', sort: 'latency_ms' })
  })
  await waitFor(() => {
    expect(asked.at(-1)).toContain('q=ada')
  })
  await user.click(screen.getByRole('button', { name: 'Export' }))
  expect(await screen.findByRole('menuitem', { name: 'CSV' })).toHaveAttribute(
    'href',
    '/admin/benchmarks/bm_1/results/download?format=csv&q=ada&outcome=succeeded&sort=latency_ms&order=desc',
  )
})

test('how fast all results came is shown, but not of some of them', async () => {
  server.use(
    http.get(`${API}/admin/benchmarks/:id/performance`, () =>
      HttpResponse.json(somePerformance(120)),
    ),
  )
  const { user } = open('/results/bm_1')
  const chart = await screen.findByRole('img', { name: /Rates per second: output 120, prompt 400/ })
  await user.type(screen.getByRole('searchbox'), 'ada')
  await waitFor(() => {
    expect(chart).not.toBeInTheDocument()
  })
})

test('a million rows: few are rendered, and the last one is reached', async () => {
  const offsets = new Set<string | null>()
  server.use(results(1_000_000, (search) => offsets.add(search.get('offset'))))
  const { user } = open('/results/bm_1?charts=false')
  await screen.findByText('answer 0')
  const grid = screen.getByRole('grid', { name: 'Results' })
  expect(grid).toHaveAttribute('aria-rowcount', '1000001')
  expect(within(grid).getAllByRole('row').length).toBeLessThan(60)
  grid.focus()
  await user.keyboard('{End}')
  fireEvent.scroll(grid)
  expect(await screen.findByText('answer 999999')).toBeVisible()
  expect(offsets.size).toBeLessThan(5)
})

test('a row that is clicked before it is loaded opens once it is', async () => {
  const { user, search } = open('/results/bm_1?charts=false')
  await screen.findByText('answer 0')
  server.use(
    http.get(`${API}/admin/benchmarks/:id/results`, async () => {
      await delay(200)
      return undefined // to the handler before
    }),
  )
  await user.click(screen.getByRole('button', { name: 'Name' }))
  expect(screen.queryByText('answer 0')).toBeNull()
  const third = screen.getAllByRole('row')[3]
  expect(third).toBeDefined()
  if (third) await user.click(third)
  expect(await screen.findByRole('dialog')).toBeVisible()
  expect(search()).toMatchObject({ at: 2, row: 2, sort: 'custom_id' })
})

test('the drawer steps by keyboard and marks golden', async () => {
  const marked: string[] = []
  server.use(
    http.put(`${API}/admin/benchmarks/bm_1/results/:row/golden`, ({ params }) => {
      marked.push(String(params['row']))
      return HttpResponse.json({
        benchmark_id: 'bm_1',
        row_id: Number(params['row']),
        golden: true,
      })
    }),
  )
  const { user, search } = open('/results/bm_1')
  await user.click(await screen.findByText('answer 0'))
  const drawer = await screen.findByRole('dialog')
  await within(drawer).findByText('question 0')
  await user.keyboard('j')
  await within(drawer).findByText('question 1')
  await user.keyboard('{ArrowRight}')
  await within(drawer).findByText('question 2')
  expect(search()).toMatchObject({ at: 2, row: 2 })
  await user.keyboard('k')
  await within(drawer).findByText('question 1')
  await user.keyboard('g')
  await waitFor(() => {
    expect(marked).toEqual(['1'])
  })
  expect(within(drawer).getByRole('button', { name: /Golden/ })).toHaveAttribute(
    'aria-pressed',
    'true',
  )
})

test.each([
  '<script>window.broken = true</script><img src=x onerror="window.broken = true">',
  '[click](javascript:window.broken=true) ![x](https://evil.example/x.png)',
  '<a href="javascript:window.broken=true">a</a><iframe srcdoc="<script>1</script>"></iframe>',
  '"><svg onload="window.broken = true">',
])('what a model writes is text, never markup: %s', async (text) => {
  const asked = { ...aRequest(7), body: { messages: [{ role: text, content: `q ${text}` }] } }
  const result = aResult(7, { text, custom_id: `id ${text}`, prompt: text, finish_reason: text })
  server.use(
    http.get(`${API}/admin/benchmarks/bm_1/results/7`, () =>
      HttpResponse.json({ request: asked, result, earlier: [] }),
    ),
  )
  open('/results/bm_1?row=7&at=7')
  const drawer = await screen.findByRole('dialog')
  expect(await within(drawer).findByText(`q ${text}`)).toBeVisible()
  expect(within(drawer).getByText(`id ${text}`)).toBeVisible()
  expect(document.querySelector('img, iframe, script, [onload], [href^=javascript]')).toBeNull()
  expect(window).not.toHaveProperty('broken')
})

test('what earlier attempts said is shown', async () => {
  const refused = aResult(7, {
    error: { code: 'engine_died', message: 'The engine died.' },
    response: null,
  })
  server.use(
    http.get(`${API}/admin/benchmarks/bm_1/results/7`, () =>
      HttpResponse.json({ request: aRequest(7), result: aResult(7), earlier: [refused] }),
    ),
  )
  open('/results/bm_1?row=7&at=7')
  const drawer = await screen.findByRole('dialog')
  await within(drawer).findByRole('heading', { name: 'Earlier attempts' })
  expect(within(drawer).getByText('The engine died.')).toBeVisible()
})

test('scores are columns that can be sorted and filtered by', async () => {
  const asked: string[] = []
  const score = { value: 1, error: null, note: null }
  server.use(
    http.get(`${API}/admin/benchmarks/bm_1/scores`, () =>
      HttpResponse.json({ benchmark_id: 'bm_1', columns: [aScoreColumn()] }),
    ),
    http.get(`${API}/admin/benchmarks/bm_1/results`, ({ request }) => {
      asked.push(new URL(request.url).searchParams.toString())
      return HttpResponse.json({
        results: [aResult(0, { scores: { gr_1: score } })],
        total: 1,
        limit: 100,
        offset: 0,
        next_cursor: null,
      })
    }),
  )
  const { user, search } = open('/results/bm_1')
  await user.click(await screen.findByRole('button', { name: 'right' }))
  await waitFor(() => {
    expect(asked.at(-1)).toContain('score=gr_1&sort=score&order=desc')
  })
  expect(await screen.findByRole('gridcell', { name: '100' })).toBeVisible()
  expect(screen.getByText('52 to 71.9')).toBeVisible()
  await user.click(screen.getByRole('combobox', { name: 'Score' }))
  await user.click(await screen.findByRole('option', { name: 'right: below 50 points' }))
  expect(search()).toMatchObject({ score: 'gr_1', max_score: 0.4999, sort: 'score' })
})

test('a grader is made for the whole dataset, and a refusal is told in place', async () => {
  const made: unknown[] = []
  server.use(
    http.post(`${API}/admin/graders`, async ({ request }) => {
      made.push(await request.json())
      return made.length === 1
        ? refusal(422, { code: 'invalid_pattern', message: 'Not a pattern.', details: {} })
        : HttpResponse.json(aGrader())
    }),
  )
  const { user } = open('/results/bm_1?graders=true')
  const dialog = await screen.findByRole('dialog')
  await user.click(within(dialog).getByRole('combobox', { name: 'Grade by' }))
  await user.click(await screen.findByRole('option', { name: 'Pattern' }))
  await user.type(within(dialog).getByLabelText('Pattern'), '(')
  await user.click(within(dialog).getByRole('button', { name: 'Add grader' }))
  expect(await within(dialog).findByText('Not a pattern.')).toBeVisible()
  expect(made[0]).toEqual({
    name: 'Pattern',
    dataset_id: 'ds_1',
    spec: { kind: 'regex', field: 'expected', pattern: '(', ignore_case: false },
  })
})
