import { screen, waitFor } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { open } from '../../test/render'
import { API, refusal, server } from '../../test/server'

test('one click starts one benchmark per model with the overrides', async () => {
  const asked: unknown[] = []
  server.use(
    http.post(`${API}/admin/benchmarks/run`, async ({ request }) => {
      asked.push(await request.json())
      return HttpResponse.json({
        benchmark_id: 'bm_9',
        status: 'running',
        started_at: '2026-01-02T03:04:05Z',
      })
    }),
  )
  const { user, search } = open('/runner?dataset=ds_1&models=org/small,org/large')
  expect(await screen.findByText(/cannot be run on this cluster: it needs 80 GiB/)).toBeVisible()
  await user.click(screen.getByRole('button', { name: 'Sampling overrides' }))
  await user.type(await screen.findByLabelText('Temperature'), '0')
  await user.click(screen.getByRole('button', { name: 'Run 2 benchmarks' }))
  await waitFor(() => {
    expect(asked).toEqual([
      { model_id: 'org/small', dataset_id: 'ds_1', sampling: { temperature: 0 } },
      { model_id: 'org/large', dataset_id: 'ds_1', sampling: { temperature: 0 } },
    ])
  })
  await waitFor(() => {
    expect(search()).not.toHaveProperty('models')
  })
})

test('a model that is refused stays chosen and says why', async () => {
  server.use(
    http.post(`${API}/admin/benchmarks/run`, async ({ request }) => {
      const body = await request.json()
      return JSON.stringify(body).includes('large')
        ? refusal(422, { code: 'no_fit', message: 'It does not fit.', details: {} })
        : HttpResponse.json({
            benchmark_id: 'bm_9',
            status: 'running',
            started_at: '2026-01-02T03:04:05Z',
          })
    }),
  )
  const { user, search } = open('/runner?dataset=ds_1&models=org/small,org/large')
  await user.click(await screen.findByRole('button', { name: 'Run 2 benchmarks' }))
  expect(await screen.findByText(/It does not fit\./)).toBeVisible()
  expect(search()).toMatchObject({ models: 'org/large' })
})

test('models are found by their words and picked into the URL', async () => {
  const { user, search } = open('/runner?dataset=ds_1')
  const field = await screen.findByRole('combobox', { name: 'Models' })
  await user.click(field)
  expect(await screen.findAllByRole('option')).toHaveLength(2)
  await user.type(field, 'org/sm')
  const options = await screen.findAllByRole('option')
  expect(options).toHaveLength(1)
  await user.click(screen.getByRole('option'))
  await waitFor(() => {
    expect(search()).toMatchObject({ models: 'org/small' })
  })
})
