import { screen, waitFor, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { aManifest, anAgreement } from '../../test/manifests'
import { aBenchmark } from '../../test/records'
import { open } from '../../test/render'
import { API, benchmarks, refusal, server } from '../../test/server'

const menu = { name: 'Actions for Small on candidates.jsonl' }

test('the manifest says what the answers depend on', async () => {
  server.use(
    http.get(`${API}/admin/benchmarks/bm_1/manifest`, () => HttpResponse.json(aManifest())),
  )
  const { user } = open('/runner')
  await user.click(await screen.findByRole('button', menu))
  await user.click(await screen.findByRole('menuitem', { name: 'Manifest…' }))
  const modal = await screen.findByRole('dialog')
  const memory = [
    'predicted 15 GiB, taken 15.1 GiB',
    'predicted 2 GiB, taken 1.7 GiB',
    'predicted 450,000 tokens, taken 460,496 tokens',
  ]
  const facts = ['w1', 't1', 'd1', 'H100', 'vllm 0.32.0', 'c0ffee, with changes', ...memory]
  for (const fact of facts) {
    expect(await within(modal).findByText(fact)).toBeVisible()
  }
})

test('a model that has changed is run again only when asked for', async () => {
  const asked: string[] = []
  server.use(
    http.post(`${API}/admin/benchmarks/bm_1/rerun`, ({ request }) => {
      const { searchParams } = new URL(request.url)
      asked.push(searchParams.toString())
      if (searchParams.has('allow_changes'))
        return HttpResponse.json({ benchmark_id: 'bm_2', status: 'queued', started_at: 'x' })
      return refusal(409, { code: 'model_changed', message: 'dtype: auto → half', details: {} })
    }),
  )
  const { user } = open('/runner')
  await user.click(await screen.findByRole('button', menu))
  await user.click(await screen.findByRole('menuitem', { name: 'Run again' }))
  const question = await screen.findByRole('dialog', { name: 'The model has changed since' })
  expect(within(question).getByText('dtype: auto → half')).toBeVisible()
  await user.click(within(question).getByRole('button', { name: 'Run it as it is now' }))
  await waitFor(() => {
    expect(asked).toEqual(['', 'allow_changes=true'])
  })
  await waitFor(() => {
    expect(screen.queryByRole('dialog')).toBeNull()
  })
})

test('imported results are called so and cannot be run again', async () => {
  server.use(benchmarks(aBenchmark({ engine: 'imported', failed: 3 })))
  const { user } = open('/runner')
  expect(await screen.findByText('Imported')).toBeVisible()
  await user.click(screen.getByRole('button', menu))
  for (const name of ['Run again', 'Retry failed requests']) {
    expect(await screen.findByRole('menuitem', { name })).toBeDisabled()
  }
})

test('a rerun says how far it agrees with the first run, and what was different', async () => {
  const changed = [{ field: 'engine.versions.vllm', then: '0.31', now: '0.32' }]
  server.use(
    http.get(`${API}/admin/benchmarks/:id`, () =>
      HttpResponse.json(aBenchmark({ benchmark_id: 'bm_2', rerun_of: 'bm_1' })),
    ),
    http.get(`${API}/admin/benchmarks/bm_2/agreement`, () =>
      HttpResponse.json(anAgreement({ changed })),
    ),
  )
  open('/results/bm_2')
  const panel = await screen.findByRole('region', { name: 'Agreement with the first run' })
  expect(await within(panel).findByText('95.0 %')).toBeVisible()
  expect(panel).toHaveTextContent('98.0 % but for case and punctuation; 10 differ')
  expect(panel).toHaveTextContent('and 1 failed in one run only')
  expect(within(panel).getByRole('row', { name: /versions\.vllm "0\.31" "0\.32"/ })).toBeVisible()
  expect(within(panel).getByRole('link', { name: 'Compare the two' })).toHaveAttribute(
    'href',
    '/compare?ids=bm_1%2Cbm_2',
  )
})
