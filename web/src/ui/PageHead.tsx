import { Title } from '@mantine/core'
import { useDocumentTitle } from '@mantine/hooks'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Icon } from './Icon'
import classes from './PageHead.module.css'

interface PageHeadProps {
  title: string
  beside?: ReactNode
  actions?: ReactNode
  children?: ReactNode
}

/** The top of a page below the runner: the way back, the title, what can be done. */
export function PageHead({ title, beside, actions, children }: PageHeadProps) {
  useDocumentTitle(`${title} – Benchmark Runner`)
  return (
    <div className={classes.head}>
      <Link to="/runner" className={classes.back}>
        <Icon name="left" size={14} /> Runner
      </Link>
      <div className={classes.line}>
        <Title order={1}>{title}</Title>
        {beside}
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </div>
      {children}
    </div>
  )
}
