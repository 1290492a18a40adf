import type { ReactNode } from 'react'
import classes from './Empty.module.css'
import { Icon, type IconName } from './Icon'

interface EmptyProps {
  icon: IconName
  title: string
  children: ReactNode
}

/** What stands where nothing is yet: it says what to do next. */
export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div className={classes.empty}>
      <span className={classes.icon}>
        <Icon name={icon} size={18} />
      </span>
      <strong>{title}</strong>
      <div className={classes.text}>{children}</div>
    </div>
  )
}
