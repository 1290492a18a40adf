import { screen, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { describe, expect, it } from 'vitest'
import { joined } from '../../api/job-log'
import { aBenchmark } from '../../test/records'
import { open } from '../../test/render'
import { API, benchmarks, server } from '../../test/server'

const piece = (first: number, lines: string[], job = 'bm_1') => ({
  benchmark_id: 'bm_1',
  job_id: job,
  lines,
  first,
  next: first + lines.length,
  total: first + lines.length,
  available: true,
})

describe('pieces of a log', () => {
  it('are joined where they follow one another', () => {
    expect(joined(piece(3, ['a']), piece(4, ['b'])).lines).toEqual(['a', 'b'])
    expect(joined(piece(3, ['a']), piece(4, ['b'])).first).toBe(3)
  })
  it('replace one another where they do not', () => {
    expect(joined(piece(3, ['a']), piece(9, ['b'])).lines).toEqual(['b'])
    expect(joined(piece(3, ['a']), piece(4, ['b'], 'bm_1-2')).lines).toEqual(['b'])
  })
})

describe('the log of a live benchmark', () => {
  it('is followed from where it was read', async () => {
    const starts: (string | null)[] = []
    server.use(
      benchmarks(aBenchmark({ status: 'running', phase: 'running' })),
      http.get(`${API}/admin/benchmarks/:id/log`, ({ request }) => {
        const start = new URL(request.url).searchParams.get('start')
        starts.push(start)
        return HttpResponse.json(start === null ? piece(7, ['engine loaded']) : piece(8, ['done']))
      }),
    )
    const { user } = open('/runner')
    await user.click(await screen.findByRole('button', { name: 'Log' }))
    const log = await screen.findByRole('log')
    expect(log).toHaveTextContent('engine loaded')
    expect(await within(log).findByText(/engine loaded\s+done/)).toBeVisible()
    expect(starts.slice(0, 2)).toEqual([null, '8'])
  })
})
