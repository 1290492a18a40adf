import { useState } from 'react'
import { useDeal, useVote, type Ballot, type Choice } from '../../api/votes'
import { notifyRefused } from '../../ui/notify'

// New ballots are asked for while there is still something to read.
const LOW = 4

interface Voted {
  ballot: Ballot
  choice: Choice
}

/** The ballots before a person: the one to vote on, what was said so far, and the way back. */
export function useHand(benchmarkIds: string[], author: string) {
  const deal = useDeal(benchmarkIds, author)
  const { mutateAsync } = useVote(benchmarkIds)
  const [voted, setVoted] = useState<Voted[]>([])
  // Ballots taken back come first; one stays open on the server until it is voted on.
  const [back, setBack] = useState<Ballot[]>([])

  const said = new Set(voted.map((one) => one.ballot.ballot_id))
  const returned = new Set(back.map((one) => one.ballot_id))
  const dealt = (deal.data?.ballots ?? []).filter(
    ({ ballot_id: id }) => !said.has(id) && !returned.has(id),
  )
  const open = [...back, ...dealt]
  const ballot = open[0]

  // Votes that this deal does not count yet, less those of an earlier deal that were taken back.
  const known = new Set(deal.data?.ballots.map((one) => one.ballot_id))
  const since =
    voted.filter((one) => known.has(one.ballot.ballot_id)).length -
    back.filter((one) => !known.has(one.ballot_id)).length
  const count = (deal.data?.voted ?? 0) + since
  const remaining = (deal.data?.remaining ?? 0) - since

  function more(openNow: number) {
    if (openNow <= LOW && remaining > openNow && !deal.isFetching)
      void deal.refetch({ cancelRefetch: false })
  }

  function vote(choice: Choice) {
    if (!ballot) return
    const id = ballot.ballot_id
    setVoted((all) => [...all, { ballot, choice }])
    setBack((all) => all.filter((one) => one.ballot_id !== id))
    // The callbacks of `mutate` would be of the last vote only, and several may be on their way.
    mutateAsync({ ballotId: id, choice }).then(
      () => {
        more(open.length - 1)
      },
      (reason: unknown) => {
        setVoted((all) => all.filter((one) => one.ballot.ballot_id !== id))
        void notifyRefused('The vote was not kept', reason)
      },
    )
  }

  function undo() {
    const last = voted.at(-1)
    if (!last) return
    setVoted((all) => all.slice(0, -1))
    setBack((all) => [last.ballot, ...all])
    mutateAsync({ ballotId: last.ballot.ballot_id, choice: null }).catch((reason: unknown) => {
      void notifyRefused('The vote was not taken back', reason)
    })
  }

  return {
    deal,
    ballot,
    count,
    remaining,
    goal: deal.data?.goal ?? 0,
    last: voted.at(-1)?.choice,
    vote,
    undo,
  }
}
