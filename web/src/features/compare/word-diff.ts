import { diffWordsWithSpace, type Change } from 'diff'

export interface Part {
  text: string
  kind: 'same' | 'added' | 'removed'
}

// Beyond this many edits the two texts have little in common and the search gets slow.
const MOST_EDITS = 600
// Two answers that share less than this of their words would be one mark from end to end, with the
// answer itself below what it does not say.
const LEAST_SHARED = 0.3
// Of a word or two, both are seen at once.
const SHORT = 40

/** How one answer differs from another, word by word; null when marking it would not help. */
export function wordDiff(base: string, text: string): Part[] | null {
  const changes = diffWordsWithSpace(base, text, { maxEditLength: MOST_EDITS, timeout: 50 })
  if (!changes) return null
  const parts = grouped(changes)
  const shared = parts.reduce((sum, { text, kind }) => sum + (kind === 'same' ? text.length : 0), 0)
  const longer = Math.max(text.length, base.length)
  return longer > SHORT && shared < LEAST_SHARED * longer ? null : parts
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
