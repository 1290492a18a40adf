import { Button, Progress, Skeleton } from '@mantine/core'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useAuthor } from '../../api/author'
import { reasonOf } from '../../api/client'
import { AuthorField } from '../../ui/AuthorField'
import { Empty } from '../../ui/Empty'
import { count, plural } from '../../ui/format'
import { PageHead } from '../../ui/PageHead'
import { Problem } from '../../ui/Problem'
import { listed } from '../../ui/search'
import { BallotView } from './BallotView'
import { Choices } from './Choices'
import { useHand } from './hand'
import classes from './Vote.module.css'

const route = getRouteApi('/vote')

/** Blind votes: two answers to one request, whose is not said. */
export function VotePage(): React.JSX.Element {
  const ids = listed(route.useSearch().benchmark_id)
  const author = useAuthor()
  if (ids.length < 2) {
    return (
      <Empty icon="columns" title="Pick two or more benchmarks">
        <p>Tick benchmarks of one dataset in the completed list, compare them, and vote.</p>
        <Button renderRoot={(props) => <Link to="/runner" {...props} />}>Go to the runner</Button>
      </Empty>
    )
  }
  // Another person has other ballots before them, and nothing to undo.
  return <Voting key={`${author} ${ids.join()}`} ids={ids} author={author} />
}

function Voting({ ids, author }: { ids: string[]; author: string }) {
  const hand = useHand(ids, author)
  const { deal, ballot, goal } = hand
  const done = Math.min(hand.count, goal)
  return (
    <>
      <PageHead
        title="Which answer is better?"
        actions={
          <Button
            variant="default"
            renderRoot={(props) => (
              <Link to="/compare" search={{ ids: ids.join(',') }} {...props} />
            )}
          >
            See what the votes say
          </Button>
        }
      >
        <p className={classes.hint}>
          The models are hidden and the sides are shuffled for every request.
        </p>
      </PageHead>
      <div className={classes.who}>
        <AuthorField description="Votes are recorded with it; nobody is asked the same twice." />
      </div>
      {author !== '' && (
        <>
          <div className={classes.progress}>
            <Progress value={goal === 0 ? 0 : (100 * done) / goal} aria-label="Your votes" />
            <span role="status">
              {plural(hand.count, 'vote')} of yours; about {count(goal)} give a clear picture
              {hand.remaining > 0 && `, ${plural(hand.remaining, 'pair')} of answers are left`}
            </span>
          </div>
          {deal.error && (
            <Problem
              title="There is nothing to vote on"
              message={reasonOf(deal.error)}
              onRetry={() => void deal.refetch()}
            />
          )}
          {!ballot && deal.isFetching && <Skeleton height={320} />}
          {!ballot && deal.data && !deal.isFetching && (
            <Empty
              icon="check"
              title={hand.count > 0 ? 'You have voted on all' : 'Nothing differs'}
            >
              {hand.count > 0
                ? 'Every pair of answers that differ has your vote.'
                : 'These benchmarks have no two different answers to one request (yet).'}
            </Empty>
          )}
          {ballot && <BallotView key={ballot.ballot_id} ballot={ballot} />}
          <Choices
            disabled={!ballot}
            undoable={hand.last !== undefined}
            onVote={hand.vote}
            onUndo={hand.undo}
          />
        </>
      )}
    </>
  )
}
