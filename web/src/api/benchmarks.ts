import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { answer, api, inTime, type Schemas } from './client'
import { forwardList } from './forward'
import { keys } from './keys'

export type Benchmark = Schemas['Benchmark']
export type Status = Schemas['Status']
type BenchmarkList = Schemas['BenchmarkList']

export const LIVE: Status[] = ['queued', 'running', 'cancelling']
export const ENDED: Status[] = ['completed', 'failed', 'cancelled']
export const isLive = (status: Status) => LIVE.includes(status)

const POLL_MS = 2_000

async function live(queries: QueryClient, signal: AbortSignal): Promise<BenchmarkList> {
  const next = await answer(
    api.GET('/admin/benchmarks', {
      params: { query: { status: LIVE, limit: 1000 } },
      signal: inTime(signal),
    }),
  )
  return forwardList(queries.getQueryData<BenchmarkList>(keys.active), next)
}

/** Queued and running benchmarks, asked for every 2 s; one that leaves them has ended. */
export function useActiveBenchmarks() {
  const queries = useQueryClient()
  const query = useQuery({
    queryKey: keys.active,
    queryFn: ({ signal }) => live(queries, signal),
    refetchInterval: POLL_MS,
    retry: false,
  })
  const ids = query.data?.benchmarks.map((one) => one.benchmark_id)
  const before = useRef(ids)
  useEffect(() => {
    const left = before.current?.some((id) => ids && !ids.includes(id))
    if (ids) before.current = ids
    if (left) void queries.invalidateQueries({ queryKey: keys.ended })
  }, [ids, queries])
  return query
}

/** Benchmarks that have ended, newest first. */
export function useEndedBenchmarks() {
  return useQuery({
    queryKey: keys.ended,
    queryFn: ({ signal }) =>
      answer(
        api.GET('/admin/benchmarks', { params: { query: { status: ENDED, limit: 1000 } }, signal }),
      ),
    refetchInterval: 30_000,
  })
}

/** Every benchmark over one dataset. */
export function useSiblings(datasetId: string | undefined) {
  return useQuery({
    queryKey: keys.siblings(datasetId ?? ''),
    queryFn: ({ signal }) =>
      answer(
        api.GET('/admin/benchmarks', {
          params: { query: { dataset_id: datasetId ?? null, limit: 1000 } },
          signal,
        }),
      ),
    enabled: datasetId !== undefined,
  })
}
