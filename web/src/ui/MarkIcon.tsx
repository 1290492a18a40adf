import type { MarkKind } from '../api/marks'
import { Icon, type IconName } from './Icon'
import classes from './MarkIcon.module.css'

const ICONS: Record<MarkKind, IconName> = { golden: 'star', fix: 'pencil', wrong: 'close' }
export const MARK_WORDS: Record<MarkKind, string> = {
  golden: 'Golden',
  fix: 'Fix',
  wrong: 'Wrong',
}

/** A mark as a symbol with its name. */
export function MarkIcon({ kind }: { kind: MarkKind }) {
  return (
    <span role="img" aria-label={MARK_WORDS[kind]} className={classes[kind]}>
      <Icon name={ICONS[kind]} size={14} filled={kind === 'golden'} />
    </span>
  )
}
