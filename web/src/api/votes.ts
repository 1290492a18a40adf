import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

export type Ballot = Schemas['Ballot']
export type Choice = Schemas['Choice']
export type Standings = Schemas['Standings']

const HAND = 10

/**
 * Ballots to vote on. Asking again gives those that are still open, and new ones in the place of
 * those voted on; whoever is asked for under another name is another person.
 */
export function useDeal(benchmarkIds: string[], author: string) {
  return useQuery({
    queryKey: keys.ballots(benchmarkIds, author),
    queryFn: ({ signal }) =>
      answer(
        api.POST('/admin/votes/ballots', {
          params: { query: { benchmark_id: benchmarkIds, count: HAND } },
          signal,
        }),
      ),
    enabled: benchmarkIds.length >= 2 && author !== '',
    staleTime: Infinity,
    // Ballots seen before would come first, though they have been voted on since.
    gcTime: 0,
  })
}

export function useVote(benchmarkIds: string[]) {
  const queries = useQueryClient()
  return useMutation({
    // One after the other: a vote taken back at once must not arrive before the vote itself.
    scope: { id: 'votes' },
    mutationFn: ({ ballotId, choice }: { ballotId: string; choice: Choice | null }) => {
      const at = { params: { path: { ballot_id: ballotId } } }
      return answer(
        choice === null
          ? api.DELETE('/admin/votes/ballots/{ballot_id}', at)
          : api.PUT('/admin/votes/ballots/{ballot_id}', { ...at, body: { choice } }),
      )
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.standings(benchmarkIds) }),
  })
}

/** What the votes on benchmarks say. */
export function useStandings(benchmarkIds: string[]) {
  return useQuery({
    queryKey: keys.standings(benchmarkIds),
    queryFn: ({ signal }) =>
      answer(
        api.GET('/admin/votes/standings', {
          params: { query: { benchmark_id: benchmarkIds } },
          signal,
        }),
      ),
    enabled: benchmarkIds.length >= 2,
  })
}
