import type { Status } from '../api/benchmarks'
import { Tag, type Tone } from './Tag'

const TONES: Record<Status, Tone> = {
  queued: 'calm',
  running: 'live',
  cancelling: 'warn',
  completed: 'good',
  failed: 'bad',
  cancelled: 'calm',
}

const WORDS: Record<Status, string> = {
  queued: 'Queued',
  running: 'Running',
  cancelling: 'Cancelling',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
}

export function StatusTag({ status }: { status: Status }) {
  return <Tag tone={TONES[status]}>{WORDS[status]}</Tag>
}
