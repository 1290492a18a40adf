import { Accordion } from '@mantine/core'
import type { BatchRequest } from '../../api/requests'
import { Conversation } from '../../ui/Conversation'
import { messagesOf } from '../../ui/messages'
import { Json } from '../../ui/Json'
import classes from './RequestList.module.css'

interface RequestListProps {
  requests: BatchRequest[]
  open: number | undefined
  onOpen: (rowId: number | undefined) => void
}

/** Requests, one line each; opened, the conversation and everything else in the line. */
export function RequestList({ requests, open, onOpen }: RequestListProps) {
  return (
    <Accordion
      variant="contained"
      value={open === undefined ? null : String(open)}
      onChange={(value) => {
        onOpen(value === null ? undefined : Number(value))
      }}
    >
      {requests.map((request) => {
        const messages = messagesOf(request.body)
        return (
          <Accordion.Item key={request.row_id} value={String(request.row_id)}>
            <Accordion.Control>
              <span className={classes.line}>
                <span className={classes.row}>{request.row_id}</span>
                <span className={classes.id}>{request.custom_id}</span>
                <span className={classes.text}>{messages.at(-1)?.text}</span>
              </span>
            </Accordion.Control>
            <Accordion.Panel>
              {open === request.row_id && (
                <>
                  <Conversation messages={messages} />
                  <Json label="Whole request" value={request} />
                </>
              )}
            </Accordion.Panel>
          </Accordion.Item>
        )
      })}
    </Accordion>
  )
}
