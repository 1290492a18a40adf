import { useQuery } from '@tanstack/react-query'
import { useRef } from 'react'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

type JobLog = Schemas['JobLog']

const POLL_MS = 1_500
const TAIL_LINES = 500
/** Older lines go: a page that is left open must not grow for ever. */
const MOST_LINES = 5_000

/** The two pieces as one, if the newer begins where the older ends and both are of one job. */
export function joined(older: JobLog | undefined, newer: JobLog): JobLog {
  const follows = older?.job_id === newer.job_id && older.next === newer.first
  if (!follows) return newer
  const lines = [...older.lines, ...newer.lines].slice(-MOST_LINES)
  return { ...newer, lines, first: newer.next - lines.length }
}

/** The end of the log of a benchmark's job, followed while it is live. */
export function useJobLog(id: string, live: boolean) {
  const known = useRef<JobLog | undefined>(undefined)
  return useQuery({
    queryKey: keys.jobLog(id),
    queryFn: async ({ signal }) => {
      const before = known.current
      const start = before?.available === true ? before.next : undefined
      const query = { limit: TAIL_LINES, ...(start !== undefined && { start }) }
      const path = { benchmark_id: id }
      const piece = await answer(
        api.GET('/admin/benchmarks/{benchmark_id}/log', { params: { path, query }, signal }),
      )
      // Another attempt has a log of its own, which begins anew.
      const another = before !== undefined && before.job_id !== piece.job_id
      known.current = another ? undefined : joined(before, piece)
      return known.current ?? piece
    },
    refetchInterval: live ? POLL_MS : false,
    gcTime: 0,
  })
}
