import { useMemo } from 'react'
import classes from './Compare.module.css'
import { wordDiff } from './word-diff'

interface AnswerProps {
  text: string
  /** The answer to mark differences from; none: the text as it is. */
  base: string | null
}

/** An answer as plain text, with the words marked that differ from another's. */
export function Answer({ text, base }: AnswerProps) {
  const parts = useMemo(
    () => (base === null || base === text ? null : wordDiff(base, text)),
    [base, text],
  )
  if (text === '') return <em className={classes.none}>(empty answer)</em>
  if (!parts) return text
  return parts.map((part, at) => {
    if (part.kind === 'added') return <ins key={at}>{part.text}</ins>
    if (part.kind === 'removed') return <del key={at}>{part.text}</del>
    return <span key={at}>{part.text}</span>
  })
}
