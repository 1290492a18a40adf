import { ActionIcon, CopyButton } from '@mantine/core'
import { Icon } from './Icon'
import classes from './Json.module.css'

/** A value as JSON, folded until asked for. */
export function Json({ label, value }: { label: string; value: unknown }) {
  const text = JSON.stringify(value, null, 2)
  return (
    <details className={classes.json}>
      <summary>{label}</summary>
      <div className={classes.body}>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <ActionIcon
              className={classes.copy ?? ''}
              variant="default"
              aria-label={copied ? `Copied ${label}` : `Copy ${label}`}
              onClick={copy}
            >
              <Icon name={copied ? 'check' : 'copy'} size={14} />
            </ActionIcon>
          )}
        </CopyButton>
        <pre tabIndex={0}>{text}</pre>
      </div>
    </details>
  )
}
