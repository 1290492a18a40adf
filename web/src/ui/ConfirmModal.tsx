import { Button, Group, Modal, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import { reasonOf } from '../api/client'
import { Problem } from './Problem'

export interface ConfirmProps {
  opened: boolean
  title: string
  action: string
  /** What the way out is called. */
  keep?: string
  busy: boolean
  error: unknown
  onConfirm: () => void
  onClose: () => void
  children: ReactNode
}

/** Asks before something that cannot be undone; a refusal's reason appears in place. */
export default function ConfirmModal(props: ConfirmProps) {
  const { opened, title, action, busy, error, onConfirm, onClose, children } = props
  const { keep = 'Keep it' } = props
  return (
    <Modal opened={opened} onClose={onClose} title={<strong>{title}</strong>}>
      <Stack gap="md">
        <div className="plain">{children}</div>
        {error != null && <Problem title="Refused" message={reasonOf(error)} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            {keep}
          </Button>
          <Button color="red.9" loading={busy} onClick={onConfirm}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
