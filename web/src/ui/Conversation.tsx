import classes from './Conversation.module.css'
import type { Message } from './messages'

/** Messages as plain text: nothing that a model wrote is ever read as HTML. */
export function Conversation({ messages }: { messages: Message[] }) {
  return (
    <ol className={classes.conversation}>
      {messages.map((message, at) => (
        <li key={at} className={classes.message} data-role={message.role}>
          <div className={classes.role}>{message.role}</div>
          <div className={`plain ${classes.text ?? ''}`}>
            {message.text === '' ? <em>(empty)</em> : message.text}
          </div>
        </li>
      ))}
    </ol>
  )
}
