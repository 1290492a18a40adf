import type { Ballot } from '../../api/votes'
import { Conversation } from '../../ui/Conversation'
import { messagesOf } from '../../ui/messages'
import classes from './Vote.module.css'

const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** What was asked, and two answers that nobody is named for. */
export function BallotView({ ballot }: { ballot: Ballot }) {
  const expected = ballot.request?.extra?.['expected']
  return (
    <>
      <section className={classes.asked} aria-label="What was asked">
        {ballot.request ? (
          <Conversation messages={messagesOf(ballot.request.body)} />
        ) : (
          <p className={classes.hint}>The dataset, and with it the request, was deleted.</p>
        )}
        {expected != null && (
          <p className={`plain ${classes.hint ?? ''}`}>Expected: {asText(expected)}</p>
        )}
      </section>
      <div className={classes.answers}>
        {(['left', 'right'] as const).map((side) => (
          <section key={side} className={classes.answer} aria-label={`Answer on the ${side}`}>
            <h2>{side === 'left' ? 'A' : 'B'}</h2>
            <div className="plain" tabIndex={0}>
              {ballot[side] === '' ? <em>(empty answer)</em> : ballot[side]}
            </div>
          </section>
        ))}
      </div>
    </>
  )
}
