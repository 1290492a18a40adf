import { Title } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Schemas } from '../../api/client'
import type { ScoreColumn } from '../../api/scores'
import { Conversation } from '../../ui/Conversation'
import { count, milliseconds, moment, points } from '../../ui/format'
import { Json } from '../../ui/Json'
import { answersOf, messagesOf, parametersOf } from '../../ui/messages'
import { Metric, Metrics } from '../../ui/Metric'
import { Pairs } from '../../ui/Pairs'
import { Problem } from '../../ui/Problem'
import { Outcome } from './columns'
import classes from './Results.module.css'

function problemOf(result: Schemas['Result']): string | null {
  if (result.error) return result.error.message
  if (result.status_code < 400) return null
  const error = result.response?.body['error']
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : `The engine answered with status ${String(result.status_code)}.`
}

/** The text of an answer, should its body have no choices to show. */
function answers(result: Schemas['Result']) {
  const found = answersOf(result.response?.body ?? {})
  if (found.length > 0 || result.text === null) return found
  return [{ role: 'assistant', text: result.text }]
}

/** Each grader's score in words, with what led to it. */
function scoresOf(result: Schemas['Result'], columns: ScoreColumn[]): [string, string][] {
  return columns.flatMap(({ key, grader }) => {
    const score = result.scores?.[key]
    if (!score) return []
    const value = score.value === null ? null : `${points(score.value)} points`
    return [[grader.name, [value, score.note, score.error].filter(Boolean).join(', ')]]
  })
}

interface DetailProps {
  detail: Schemas['ResultDetail']
  scores: ScoreColumn[]
  /** What stands below the conversation. */
  children?: ReactNode
}

/** A result with its request: conversation, figures, parameters, and the raw lines. */
export function Detail({ detail, scores, children }: DetailProps) {
  const { request, result, earlier } = detail
  const problem = problemOf(result)
  const body = request?.body ?? {}
  return (
    <div className={classes.detail}>
      <Metrics>
        <Metric label="Outcome" value={<Outcome result={result} />} />
        <Metric label="Prompt" value={count(result.prompt_tokens)} unit="tokens" />
        <Metric label="Output" value={count(result.output_tokens)} unit="tokens" />
        {result.cached_tokens !== null && result.cached_tokens > 0 && (
          <Metric label="Cached" value={count(result.cached_tokens)} unit="tokens" />
        )}
        <Metric label="Latency" value={milliseconds(result.latency_ms)} />
        <Metric label="First token" value={milliseconds(result.ttft_ms)} />
        <Metric label="Between tokens" value={milliseconds(result.itl_ms)} />
        <Metric label="In queue" value={milliseconds(result.queue_ms)} />
      </Metrics>
      <Title order={3}>Conversation</Title>
      {!request && (
        <p className={classes.finished}>The dataset, and with it the request, was deleted.</p>
      )}
      <Conversation messages={[...messagesOf(body), ...answers(result)]} />
      {problem !== null && <Problem title="No answer" message={problem} />}
      {children}
      {earlier.length > 0 && (
        <Pairs
          title="Earlier attempts"
          pairs={earlier.map((one) => [moment(one.finished_at), problemOf(one)])}
        />
      )}
      <Pairs title="Scores" pairs={scoresOf(result, scores)} />
      <Pairs title="From the dataset" pairs={Object.entries(request?.extra ?? {})} />
      <Pairs title="Parameters" pairs={parametersOf(body)} />
      <div>
        <Title order={3}>Raw</Title>
        {request && <Json label="Request" value={request} />}
        <Json label="Result" value={result} />
      </div>
      <p className={classes.finished}>
        Row {count(result.row_id)}, {request?.url ?? 'dataset deleted'}, finished{' '}
        {moment(result.finished_at)}
      </p>
    </div>
  )
}
