import { screen, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { beforeEach, expect, test } from 'vitest'
import { aDataset, aRequest } from '../../test/records'
import { open } from '../../test/render'
import { API, refusal, server } from '../../test/server'

const file = new File(['custom_id,response\n'], 'out.csv')

beforeEach(() => {
  server.use(
    http.get(`${API}/admin/datasets/ds_1`, () => HttpResponse.json(aDataset())),
    http.get(`${API}/admin/datasets/ds_1/requests`, () =>
      HttpResponse.json({
        dataset_id: 'ds_1',
        requests: [aRequest(0)],
        total: 1,
        limit: 20,
        offset: 0,
      }),
    ),
  )
})

async function send() {
  const { user } = open('/datasets/ds_1')
  const opens = await screen.findByRole('button', { name: 'Import results' })
  await screen.findByText('candidate-0')
  await user.click(opens)
  const modal = await screen.findByRole('dialog', { name: 'Import results' })
  const button = within(modal).getByRole('button', { name: 'Import' })
  expect(button).toBeDisabled()
  await user.type(within(modal).getByLabelText(/What they are of/), 'Current system')
  const input = document.querySelector<HTMLInputElement>('input[type=file]')
  if (!input) throw new Error('no file input')
  await user.upload(input, file)
  await user.click(button)
  return modal
}

test('results come in under a name, and what did not match is said', async () => {
  const names: (string | null)[] = []
  server.use(
    http.post(`${API}/admin/datasets/ds_1/results/upload`, ({ request }) => {
      names.push(new URL(request.url).searchParams.get('name'))
      return HttpResponse.json({
        benchmark_id: 'bm_9',
        model_name: 'Current system',
        completed: 4998,
        failed: 2,
        missing: 2,
        unmatched: 1,
        unmatched_lines: [{ line: 7, custom_id: 'stranger' }],
      })
    }),
  )
  const modal = await send()
  expect(await within(modal).findByText(/^4,998 answers of Current system/)).toBeVisible()
  expect(modal).toHaveTextContent('2 requests had no result in the file and count as failed.')
  expect(modal).toHaveTextContent('1 result of the file matched no request')
  expect(within(modal).getByText('stranger')).toBeVisible()
  expect(within(modal).getByRole('link', { name: 'View results' })).toHaveAttribute(
    'href',
    '/results/bm_9',
  )
  expect(names).toEqual(['Current system'])
})

test('a refused file is reported line by line', async () => {
  server.use(
    http.post(`${API}/admin/datasets/ds_1/results/upload`, () =>
      refusal(422, {
        code: 'invalid_results',
        message: '1 error.',
        details: {
          errors: [{ line: 3, code: 'x', message: 'Used by line 1 already.', text: 'r-0' }],
          total_errors: 1,
        },
      }),
    ),
  )
  const modal = await send()
  const report = await within(modal).findByRole('region', { name: 'Errors by line' })
  expect(within(report).getByText('Used by line 1 already.')).toBeVisible()
})
