import { useSyncExternalStore } from 'react'

const KEY = 'benchmark-runner:author'
const listeners = new Set<() => void>()

let keyName: string | null = null

/** The name under which this browser judges: of its key, or what was typed; empty: none. */
export const author = () => keyName ?? localStorage.getItem(KEY) ?? ''

/** With a key, the server says who judges. */
export function setKeyName(name: string | null) {
  keyName = name
  for (const listener of listeners) listener()
}

export function setAuthor(name: string) {
  localStorage.setItem(KEY, name.trim())
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  window.addEventListener('storage', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', listener)
  }
}

export const useAuthor = () => useSyncExternalStore(subscribe, author)

/** Whether the name is the key's, which nobody can change here. */
export const useIsFixed = () => useSyncExternalStore(subscribe, () => keyName !== null)
