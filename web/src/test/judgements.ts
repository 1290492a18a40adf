import type { Schemas } from '../api/client'
import { aRequest } from './records'

/** Marks and votes as the API would send them. */

export const aMark = (with_: Partial<Schemas['Mark']> = {}): Schemas['Mark'] => ({
  benchmark_id: 'bm_1',
  row_id: 0,
  kind: 'golden',
  response: null,
  note: null,
  author: 'Anna Müller',
  created_at: '2026-01-02T03:04:05Z',
  updated_at: '2026-01-02T03:04:05Z',
  ...with_,
})

/** No votes yet. */
export const someStandings = (
  ids: string[],
  with_: Partial<Schemas['Standings']> = {},
): Schemas['Standings'] => ({
  standings: ids.map((id) => aStanding(id)),
  pairs: [],
  votes: 0,
  voters: [],
  verdict: 'No votes yet.',
  ...with_,
})

export const aStanding = (
  id: string,
  with_: Partial<Schemas['Standing']> = {},
): Schemas['Standing'] => ({
  benchmark_id: id,
  strength: 0,
  strength_low: -1,
  strength_high: 1,
  win_rate: 0.5,
  win_rate_low: 0.2,
  win_rate_high: 0.8,
  probability_best: 0.5,
  wins: 0,
  losses: 0,
  ties: 0,
  both_bad: 0,
  ...with_,
})

export const aBallot = (at: number): Schemas['Ballot'] => ({
  ballot_id: `b${String(at)}`,
  custom_id: `candidate-${String(at)}`,
  request: aRequest(at),
  left: `left ${String(at)}`,
  right: `right ${String(at)}`,
})
