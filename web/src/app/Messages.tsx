import { lazy, Suspense, useSyncExternalStore } from 'react'
import { messages } from '../ui/notify'

const Notifications = lazy(async () => ({
  default: (await import('@mantine/notifications')).Notifications,
}))

/** What the page has to say in passing; loaded with the first message. */
export function Messages() {
  const wanted = useSyncExternalStore(messages.subscribe, messages.wanted)
  return (
    wanted && (
      <Suspense>
        <Notifications position="bottom-right" limit={4} />
      </Suspense>
    )
  )
}
