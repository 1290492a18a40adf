import { useSyncExternalStore } from 'react'

const KEY = 'benchmark-runner:author'
const listeners = new Set<() => void>()

/** The name under which this browser judges; empty: none was given. */
export const author = () => localStorage.getItem(KEY) ?? ''

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
