import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

export type Grader = Schemas['Grader']
export type GraderDraft = Schemas['GraderDraft']
export type GraderSpec = Grader['spec']

/** Graders of one benchmark, its dataset's included. */
export function useGraders(benchmarkId: string) {
  return useQuery({
    queryKey: keys.graders(benchmarkId),
    queryFn: ({ signal }) =>
      answer(
        api.GET('/admin/graders', {
          params: { query: { benchmark_id: benchmarkId, limit: 1000 } },
          signal,
        }),
      ),
  })
}

/** What changes with a grader: the lists of graders, and all that shows scores. */
function useChanged() {
  const queries = useQueryClient()
  return () =>
    Promise.all(
      [['graders'], ['results'], ['verdicts'], keys.comparisons].map((queryKey) =>
        queries.invalidateQueries({ queryKey }),
      ),
    )
}

export function useCreateGrader() {
  return useMutation({
    mutationFn: (draft: GraderDraft) => answer(api.POST('/admin/graders', { body: draft })),
    onSuccess: useChanged(),
  })
}

export function useDeleteGrader() {
  return useMutation({
    mutationFn: (id: string) =>
      answer(api.DELETE('/admin/graders/{grader_id}', { params: { path: { grader_id: id } } })),
    onSuccess: useChanged(),
  })
}

export function useRecompute() {
  return useMutation({
    mutationFn: (id: string) =>
      answer(
        api.POST('/admin/graders/{grader_id}/recompute', { params: { path: { grader_id: id } } }),
      ),
    onSuccess: useChanged(),
  })
}

interface Judging {
  benchmarkId: string
  graderId: string
  againstId?: string
}

/** Have a benchmark's answers judged; the judge is a benchmark of its own. */
export function useJudge() {
  return useMutation({
    mutationFn: ({ benchmarkId, graderId, againstId }: Judging) =>
      answer(
        api.POST('/admin/benchmarks/{benchmark_id}/judge', {
          params: { path: { benchmark_id: benchmarkId } },
          body: { grader_id: graderId, against_id: againstId ?? null },
        }),
      ),
    onSuccess: useChanged(),
  })
}
