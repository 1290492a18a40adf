import { screen, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { aDataset } from '../../test/records'
import { open } from '../../test/render'
import { API, datasets, refusal, server } from '../../test/server'

const file = (name: string) => new File(['{}\n'], name)

test('a refused file is reported line by line with the offending text', async () => {
  server.use(
    http.post(`${API}/admin/datasets/upload`, () =>
      refusal(422, {
        code: 'invalid_dataset',
        message: '2 lines are not valid.',
        details: {
          errors: [
            { line: 17, code: 'x', message: 'custom_id is missing.', text: '{"method": "POST"' },
          ],
          total_errors: 2,
        },
      }),
    ),
  )
  const { user } = open('/runner')
  await user.upload(await screen.findByLabelText('Upload datasets'), file('bad.jsonl'))
  const report = await screen.findByRole('region', { name: 'Errors by line' })
  expect(within(report).getByText('17')).toBeVisible()
  expect(within(report).getByText('custom_id is missing.')).toBeVisible()
  expect(within(report).getByText('{"method": "POST"')).toBeVisible()
  expect(screen.getByText(/1 more not shown/)).toBeVisible()
})

test('several files are sent, and what is stored is chosen for the run', async () => {
  const stored = [aDataset({ id: 'ds_new', name: 'one.jsonl' })]
  server.use(
    http.post(`${API}/admin/datasets/upload`, () =>
      HttpResponse.json({
        dataset_id: 'ds_new',
        name: 'one.jsonl',
        count: 12,
        uploaded_at: '2026-01-02T03:04:05Z',
      }),
    ),
    datasets(...stored),
  )
  const { user, search } = open('/runner')
  await user.upload(await screen.findByLabelText('Upload datasets'), [
    file('one.jsonl'),
    file('two.jsonl'),
  ])
  expect(await screen.findAllByText('12 requests, all valid')).toHaveLength(2)
  expect(search()).toMatchObject({ dataset: 'ds_new' })
})

test("a deletion is confirmed, and the server's refusal is shown", async () => {
  server.use(
    http.delete(`${API}/admin/datasets/ds_1`, () =>
      refusal(409, { code: 'dataset_in_use', message: 'A benchmark uses it.', details: {} }),
    ),
  )
  const { user } = open('/runner')
  await user.click(await screen.findByRole('button', { name: 'Actions for candidates.jsonl' }))
  await user.click(await screen.findByRole('menuitem', { name: 'Delete…' }))
  await user.click(await screen.findByRole('button', { name: 'Delete dataset' }))
  expect(await screen.findByText('A benchmark uses it.')).toBeVisible()
})

test('without a dataset the page says what to do', async () => {
  server.use(datasets())
  open('/runner')
  expect(await screen.findByText('No dataset yet')).toBeVisible()
})
