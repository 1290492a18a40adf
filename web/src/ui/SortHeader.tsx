import { Icon } from './Icon'
import classes from './SortHeader.module.css'

export type Order = 'asc' | 'desc'

interface SortHeaderProps {
  label: string
  order: Order | null
  onSort: () => void
  right?: boolean
}

/** The button in a column's header. The cell around it carries `aria-sort`. */
export function SortHeader({ label, order, onSort, right = false }: SortHeaderProps) {
  return (
    <button
      type="button"
      className={classes.header}
      data-active={order !== null || undefined}
      data-right={right || undefined}
      onClick={onSort}
    >
      {label}
      <span className={classes.arrow}>
        <Icon name={order === 'asc' ? 'up' : 'down'} size={12} />
      </span>
    </button>
  )
}

export function ariaSort(order: Order | null) {
  if (order === null) return 'none'
  return order === 'asc' ? 'ascending' : 'descending'
}
