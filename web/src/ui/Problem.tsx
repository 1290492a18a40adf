import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { Icon } from './Icon'
import classes from './Problem.module.css'

interface ProblemProps {
  title: string
  message?: string
  onRetry?: () => void
  children?: ReactNode
}

/** Something went wrong: what, and what can be done. */
export function Problem({ title, message, onRetry, children }: ProblemProps) {
  return (
    <div role="alert" className={classes.problem}>
      <Icon name="warning" />
      <div className={classes.body}>
        <strong>{title}</strong>
        {message !== undefined && <div className="plain">{message}</div>}
        {children}
      </div>
      {onRetry && (
        <Button variant="default" size="xs" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  )
}
