import { screen, waitFor, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { afterEach, expect, test } from 'vitest'
import { aMark } from '../../test/judgements'
import { aRequest, aResult } from '../../test/records'
import { open } from '../../test/render'
import { API, results, server } from '../../test/server'

afterEach(() => {
  localStorage.clear()
})

test('a fix is written, signed and shown', async () => {
  const sent: unknown[] = []
  server.use(
    http.put(`${API}/admin/benchmarks/bm_1/results/0/mark`, async ({ request }) => {
      const body = await request.json()
      sent.push([body, request.headers.get('x-author')])
      return HttpResponse.json(aMark({ kind: 'fix', response: 'Better', note: 'tone' }))
    }),
  )
  const { user } = open('/results/bm_1')
  await user.click(await screen.findByText('answer 0'))
  const drawer = await screen.findByRole('dialog')
  await within(drawer).findByText('question 0')
  await user.keyboard('f')
  const save = await within(drawer).findByRole('button', { name: 'Save the mark' })
  expect(save).toBeDisabled()
  const response = within(drawer).getByLabelText('Response as it should be')
  expect(response).toHaveValue('answer 0')
  await user.clear(response)
  await user.type(response, 'Better')
  await user.type(within(drawer).getByLabelText('Note'), 'tone')
  await user.type(within(drawer).getByLabelText('Your name'), 'Anna Müller')
  await user.click(save)
  await within(drawer).findByText(/^Fix by Anna Müller/)
  expect(sent).toEqual([[{ kind: 'fix', response: 'Better', note: 'tone' }, 'Anna%20M%C3%BCller']])
  expect(await screen.findByRole('img', { name: 'Fix', hidden: true })).toBeInTheDocument()
})

test('a mark is taken away', async () => {
  const gone: string[] = []
  server.use(
    http.get(`${API}/admin/benchmarks/bm_1/results/3`, () =>
      HttpResponse.json({
        request: aRequest(3),
        result: aResult(3, { mark: aMark({ kind: 'wrong', note: 'no' }) }),
        earlier: [],
      }),
    ),
    http.delete(`${API}/admin/benchmarks/bm_1/results/3/mark`, () => {
      gone.push('3')
      return HttpResponse.json({ id: 'x', deleted: true })
    }),
  )
  const { user } = open('/results/bm_1?row=3&at=3')
  const drawer = await screen.findByRole('dialog')
  await within(drawer).findByText(/^Wrong by Anna Müller/)
  await user.click(within(drawer).getByText('None'))
  await user.click(within(drawer).getByRole('button', { name: 'Take the mark away' }))
  await waitFor(() => {
    expect(within(drawer).queryByText(/^Wrong by/)).toBeNull()
  })
  expect(gone).toEqual(['3'])
})

test('results are filtered by mark', async () => {
  const asked: string[] = []
  server.use(results(5000, (search) => asked.push(search.toString())))
  open('/results/bm_1?mark=wrong')
  await screen.findByText('answer 0')
  expect(asked[0]).toContain('mark=wrong')
})
