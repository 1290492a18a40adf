import type { ReactNode } from 'react'
import classes from './Tag.module.css'

export type Tone = 'good' | 'bad' | 'warn' | 'live' | 'calm'

/** A word with a colour; the word alone carries the meaning. */
export function Tag({ tone, children }: { tone: Tone; children: ReactNode }) {
  return <span className={`${classes.tag ?? ''} ${classes[tone] ?? ''}`}>{children}</span>
}
