import { reasonOf } from '../api/client'

let wanted = false
const listeners = new Set<() => void>()

/** Whether anything has been said yet: until then the messages' library is not loaded. */
export const messages = {
  subscribe: (listener: () => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
  wanted: () => wanted,
}

async function store() {
  const { notifications } = await import('@mantine/notifications')
  wanted = true
  for (const listener of listeners) listener()
  return notifications
}

export async function notifyDone(message: string) {
  ;(await store()).show({ message, color: 'indigo', autoClose: 4_000 })
}

export async function notifyRefused(title: string, error: unknown) {
  ;(await store()).show({ title, message: reasonOf(error), color: 'red', autoClose: 10_000 })
}
