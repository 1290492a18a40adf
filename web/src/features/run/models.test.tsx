import { screen, waitFor, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import type { Schemas } from '../../api/client'
import { aModel } from '../../test/records'
import { open } from '../../test/render'
import { API, refusal, server } from '../../test/server'

const footprint: Schemas['Footprint'] = {
  gpus: 2,
  weights_bytes: 65.7 * 2 ** 30,
  overhead_bytes: 2.5 * 2 ** 30,
  kv_token_bytes: 160 * 2 ** 10,
  kv_request_bytes: 20 * 2 ** 30,
  max_model_len: 131_072,
}
const added = aModel({
  model_id: 'org/added',
  name: 'Added',
  added: true,
  fit: {
    verdict: 'fits_shorter',
    fits: false,
    longest: 28_544,
    reason: 'fits with at most 28,544 tokens',
    footprint,
  },
})

async function openModels() {
  const opened = open('/runner')
  await opened.user.click(await screen.findByRole('button', { name: 'Models…' }))
  return { ...opened, modal: await screen.findByRole('dialog', { name: 'Models' }) }
}

test('a model is checked, and added once its verdict is known', async () => {
  const asked: unknown[] = []
  const all = [aModel()]
  server.use(
    http.get(`${API}/admin/models`, () => HttpResponse.json({ models: all })),
    http.post(`${API}/admin/models/check`, async ({ request }) => {
      asked.push(await request.json())
      return HttpResponse.json(added)
    }),
    http.post(`${API}/admin/models`, async ({ request }) => {
      asked.push(await request.json())
      all.push(added)
      return HttpResponse.json(added)
    }),
  )
  const { user, modal } = await openModels()
  await user.click(within(modal).getByRole('tab', { name: 'Add a model' }))
  await user.type(await within(modal).findByLabelText(/Hub id or folder/), 'org/added')
  expect(within(modal).getByRole('button', { name: 'Add model' })).toBeDisabled()
  await user.click(within(modal).getByRole('button', { name: 'Check' }))
  expect(await within(modal).findByText('Up to 28,544 tokens')).toBeVisible()
  expect(within(modal).getByText('65.7 GiB on each of 2 GPUs')).toBeVisible()
  await user.click(within(modal).getByRole('button', { name: 'Add model' }))
  expect(await within(modal).findByText('org/added')).toBeVisible()
  const body = { source: 'org/added', dtype: 'auto', tensor_parallel: 1, max_num_seqs: 256 }
  expect(asked).toEqual([body, body])
})

test('a change after the check asks for another one, and a refusal says why', async () => {
  server.use(
    http.post(`${API}/admin/models/check`, () =>
      refusal(422, { code: 'model_gated', message: 'org/x is gated.', details: {} }),
    ),
  )
  const { user, modal } = await openModels()
  await user.click(within(modal).getByRole('tab', { name: 'Add a model' }))
  const source = await within(modal).findByLabelText(/Hub id or folder/)
  await user.type(source, 'org/x')
  await user.click(within(modal).getByRole('button', { name: 'Check' }))
  expect(await within(modal).findByText('org/x is gated.')).toBeVisible()
  await user.type(source, 'y')
  await waitFor(() => {
    expect(within(modal).queryByText('org/x is gated.')).toBeNull()
  })
})

test('an added model can be removed; one of a file cannot', async () => {
  const removed: string[] = []
  server.use(
    http.get(`${API}/admin/models`, () =>
      HttpResponse.json({ models: removed.length > 0 ? [aModel()] : [aModel(), added] }),
    ),
    http.delete(`${API}/admin/models/:id`, ({ params }) => {
      removed.push(String(params['id']))
      return HttpResponse.json({ id: params['id'], deleted: true })
    }),
  )
  const { user, modal } = await openModels()
  await user.click(within(modal).getByText('Small'))
  await user.click(within(modal).getByText('Added'))
  expect(within(modal).getByText('fits with at most 28,544 tokens')).toBeVisible()
  expect(within(modal).queryByRole('button', { name: 'Remove Small' })).toBeNull()
  await user.click(within(modal).getByRole('button', { name: 'Remove Added' }))
  await waitFor(() => {
    expect(within(modal).queryByText('Added')).toBeNull()
  })
  expect(removed).toEqual(['org/added'])
})
