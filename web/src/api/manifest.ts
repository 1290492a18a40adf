import { useQuery } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

export type Manifest = Schemas['Manifest']
export type Agreement = Schemas['Reproduction']

const at = (id: string) => ({ path: { benchmark_id: id } })

/** What a benchmark's answers depend on. */
export function useManifest(id: string) {
  return useQuery({
    queryKey: keys.manifest(id),
    queryFn: ({ signal }) =>
      answer(api.GET('/admin/benchmarks/{benchmark_id}/manifest', { params: at(id), signal })),
  })
}

/** How far a rerun says the same as the first run; followed while it is at work. */
export function useAgreement(id: string, live: boolean) {
  return useQuery({
    queryKey: keys.agreement(id),
    queryFn: ({ signal }) =>
      answer(api.GET('/admin/benchmarks/{benchmark_id}/agreement', { params: at(id), signal })),
    refetchInterval: live ? 8_000 : false,
  })
}
