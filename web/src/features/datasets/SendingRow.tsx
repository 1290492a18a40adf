import { ActionIcon, Progress } from '@mantine/core'
import { reasonOf } from '../../api/client'
import { bytes, plural } from '../../ui/format'
import { Icon } from '../../ui/Icon'
import { Tag } from '../../ui/Tag'
import { LineErrors, lineErrors } from './LineErrors'
import classes from './Upload.module.css'
import type { Sending } from './uploads'

function Say({ sending }: { sending: Sending }) {
  switch (sending.state) {
    case 'sending':
      return `${bytes(sending.sent)} of ${bytes(sending.size)}`
    case 'checking':
      return `${bytes(sending.size)} sent, checking every line…`
    case 'stored':
      return `${plural(sending.count ?? 0, 'request')}, all valid`
    case 'refused':
      return <Tag tone="bad">Refused</Tag>
  }
}

/** One file on its way, or what became of it. */
export function SendingRow({ sending, onDismiss }: { sending: Sending; onDismiss: () => void }) {
  const { name, size, sent, state, error } = sending
  const going = state === 'sending' || state === 'checking'
  const report = lineErrors(error)
  return (
    <li className={classes.sending}>
      <div className={classes.sendingHead}>
        <Icon name={state === 'stored' ? 'check' : state === 'refused' ? 'warning' : 'file'} />
        <span className={classes.name}>{name}</span>
        <span className={classes.say} role="status">
          <Say sending={sending} />
        </span>
        <ActionIcon
          variant="subtle"
          color="gray"
          c="dimmed"
          size="sm"
          aria-label={going ? `Stop uploading ${name}` : `Dismiss ${name}`}
          onClick={onDismiss}
        >
          <Icon name="close" size={14} />
        </ActionIcon>
      </div>
      {going && (
        <Progress
          size={4}
          mt={8}
          value={size === 0 ? 100 : (sent / size) * 100}
          animated={state === 'checking'}
          aria-label={`Upload of ${name}`}
        />
      )}
      {state === 'refused' && (
        <div role="alert">
          <p className={classes.reason}>{reasonOf(error)}</p>
          {report && <LineErrors {...report} />}
        </div>
      )}
    </li>
  )
}
