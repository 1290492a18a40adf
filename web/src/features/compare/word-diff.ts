import { diffWordsWithSpace, type Change } from 'diff'

export interface Part {
  text: string
  kind: 'same' | 'added' | 'removed'
}

// Beyond this many edits the two texts have little in common and the search gets slow.
const MOST_EDITS = 600
// A longer answer that shares less than this with the other would be one mark from end to end.
const LEAST_SHARED = 0.2
const SHORT = 120

/** How one answer differs from another, word by word; null when marking it would not help. */
export function wordDiff(base: string, text: string): Part[] | null {
  const changes = diffWordsWithSpace(base, text, { maxEditLength: MOST_EDITS, timeout: 50 })
  if (!changes) return null
  const parts = grouped(changes)
  const shared = parts.reduce((sum, { text, kind }) => sum + (kind === 'same' ? text.length : 0), 0)
  return text.length > SHORT && shared < LEAST_SHARED * text.length ? null : parts
}

/** Changes with nothing but a space between them read as one: all removed words, then all added. */
function grouped(changes: Change[]): Part[] {
  const parts: Part[] = []
  let [removed, added] = ['', '']

  function flush() {
    if (removed) parts.push({ text: removed, kind: 'removed' })
    if (added) parts.push({ text: added, kind: 'added' })
    ;[removed, added] = ['', '']
  }

  changes.forEach((change, at) => {
    const next = changes[at + 1]
    if (change.removed) removed += change.value
    else if (change.added) added += change.value
    else if ((removed || added) && next && change.value.trim() === '') {
      removed += change.value
      added += change.value
    } else {
      flush()
      parts.push({ text: change.value, kind: 'same' })
    }
  })
  flush()
  return parts
}
