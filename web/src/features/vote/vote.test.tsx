import { screen, waitFor } from '@testing-library/react'
import { delay, http, HttpResponse } from 'msw'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { setAuthor } from '../../api/author'
import { aBallot } from '../../test/judgements'
import { open } from '../../test/render'
import { API, refusal, server } from '../../test/server'

const TOTAL = 12
/** What the server has: votes by ballot. */
let votes = new Map<string, string>()

beforeEach(() => {
  votes = new Map()
  setAuthor('Ada')
  server.use(
    http.post(`${API}/admin/votes/ballots`, ({ request }) => {
      expect(request.headers.get('x-author')).toBe('Ada')
      const all = Array.from({ length: TOTAL }, (_, at) => aBallot(at))
      const fresh = all.filter((one) => !votes.has(one.ballot_id))
      return HttpResponse.json({
        ballots: fresh.slice(0, 5),
        voted: votes.size,
        remaining: fresh.length,
        goal: TOTAL,
      })
    }),
    http.put(`${API}/admin/votes/ballots/:id`, async ({ params, request }) => {
      const { choice } = (await request.json()) as { choice: string }
      votes.set(String(params['id']), choice)
      return HttpResponse.json({ ballot_id: params['id'], choice, author: 'Ada', voted_at: null })
    }),
    http.delete(`${API}/admin/votes/ballots/:id`, ({ params }) => {
      votes.delete(String(params['id']))
      return HttpResponse.json({
        ballot_id: params['id'],
        choice: null,
        author: 'Ada',
        voted_at: null,
      })
    }),
  )
})
afterEach(() => {
  localStorage.clear()
})

test('keys vote, undo takes the last vote back, and new ballots come in time', async () => {
  const { user } = open('/vote?benchmark_id=bm_a&benchmark_id=bm_b')
  await screen.findByText('left 0')
  expect(screen.getByText('question 0')).toBeVisible()
  for (const key of ['1', '{ArrowRight}', '3', '4']) await user.keyboard(key)
  await screen.findByText('left 4')
  await waitFor(() => {
    expect([...votes]).toEqual([
      ['b0', 'left'],
      ['b1', 'right'],
      ['b2', 'tie'],
      ['b3', 'both_bad'],
    ])
  })
  expect(screen.getByRole('status')).toHaveTextContent('4 votes of yours')

  await user.keyboard('u')
  await screen.findByText('left 3')
  await waitFor(() => {
    expect(votes.has('b3')).toBe(false)
  })
  expect(screen.getByRole('status')).toHaveTextContent('3 votes of yours')

  for (let at = 3; at < TOTAL; at += 1) {
    await screen.findByText(`left ${String(at)}`)
    await user.click(screen.getByRole('button', { name: 'B is better' }))
  }
  expect(await screen.findByText('You have voted on all')).toBeVisible()
  await waitFor(() => {
    expect(votes.size).toBe(TOTAL)
  })
  expect(screen.getByRole('status')).toHaveTextContent('12 votes of yours')
})

test('a vote taken back at once is not kept, however late the vote arrives', async () => {
  const arrived: string[] = []
  server.use(
    http.put(`${API}/admin/votes/ballots/:id`, async ({ params }) => {
      await delay(200)
      arrived.push('vote')
      votes.set(String(params['id']), 'left')
      return HttpResponse.json({ ballot_id: params['id'], choice: 'left', author: 'Ada' })
    }),
    http.delete(`${API}/admin/votes/ballots/:id`, ({ params }) => {
      arrived.push('undo')
      votes.delete(String(params['id']))
      return HttpResponse.json({ ballot_id: params['id'], choice: null, author: 'Ada' })
    }),
  )
  const { user } = open('/vote?benchmark_id=bm_a&benchmark_id=bm_b')
  await screen.findByText('left 0')
  await user.keyboard('1u')
  await waitFor(() => {
    expect(arrived).toHaveLength(2)
  })
  expect(arrived).toEqual(['vote', 'undo'])
  expect(votes.size).toBe(0)
})

test('a vote that is refused comes again, whatever is voted on meanwhile', async () => {
  server.use(
    http.put(`${API}/admin/votes/ballots/b0`, async () => {
      await delay(100)
      return refusal(404, { code: 'ballot_not_found', message: 'Gone.', details: {} })
    }),
  )
  const { user } = open('/vote?benchmark_id=bm_a,bm_b')
  await screen.findByText('left 0')
  await user.keyboard('12')
  expect(await screen.findByText('The vote was not kept')).toBeVisible()
  expect(await screen.findByText('left 0')).toBeVisible()
  await waitFor(() => {
    expect([...votes]).toEqual([['b1', 'right']])
  })
})

test('nobody votes without a name', async () => {
  localStorage.clear()
  const { user } = open('/vote?benchmark_id=bm_a,bm_b')
  const name = await screen.findByLabelText('Your name')
  expect(screen.queryByRole('button', { name: 'A is better' })).toBeNull()
  await user.type(name, 'Ada{Enter}')
  expect(await screen.findByText('left 0')).toBeVisible()
})

test('the page says what it is for without benchmarks', async () => {
  open('/vote?benchmark_id=bm_a')
  expect(await screen.findByText('Pick two or more benchmarks')).toBeVisible()
})
