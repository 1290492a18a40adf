/** Numbers, sizes and times for people. */

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const weekday = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
})

export const NONE = '–'

export const count = (value: number | null | undefined) =>
  value == null ? NONE : whole.format(value)

export const short = (value: number) => compact.format(value)

/** 12.3 below a hundred, 1,234 above. */
export const rate = (value: number | null | undefined) =>
  value == null ? NONE : (Math.abs(value) < 100 ? tenths : whole).format(value)

export const percent = (part: number) => `${whole.format(part * 100)} %`

/** A score between 0 and 1 in points of a hundred: 62.5. */
export const points = (value: number | null | undefined) =>
  value == null ? NONE : tenths.format(100 * value)

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let at = 0
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000
    at += 1
  }
  return `${(at === 0 ? whole : tenths).format(value)} ${units[at] ?? ''}`
}

/** Memory, in the units that it is built in: 15 GiB, 128 KiB. */
export function binary(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let at = 0
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024
    at += 1
  }
  return `${(value < 100 ? tenths : whole).format(value)} ${units[at] ?? ''}`
}

export const gibibytes = (value: number) => `${tenths.format(value)} GiB`

/** 2 h 48 min; 3 min 20 s; 12 s; 0.4 s. */
export function duration(seconds: number | null | undefined): string {
  if (seconds == null) return NONE
  if (seconds < 10) return `${tenths.format(seconds)} s`
  const all = Math.round(seconds)
  const days = Math.floor(all / 86_400)
  const hours = Math.floor((all % 86_400) / 3600)
  const minutes = Math.floor((all % 3600) / 60)
  if (days > 0) return `${whole.format(days)} d ${String(hours)} h`
  if (hours > 0) return `${String(hours)} h ${String(minutes)} min`
  if (minutes > 0) return `${String(minutes)} min ${String(all % 60)} s`
  return `${String(all)} s`
}

/** 3–5 min; 20–40 s; 1.5–2 h: a span of time in one unit. */
export function between(low: number, high: number): string {
  const [size, unit, format] =
    high < 90 ? [1, 's', whole] : high < 5400 ? [60, 'min', whole] : [3600, 'h', tenths]
  const [from, to] = [format.format(low / size), format.format(high / size)]
  return from === to ? `${to} ${unit}` : `${from}–${to} ${unit}`
}

export function milliseconds(value: number | null | undefined): string {
  if (value == null) return NONE
  return value < 1000 ? `${whole.format(value)} ms` : duration(value / 1000)
}

export const moment = (iso: string) => day.format(new Date(iso))

/** The time of day, with the weekday when it is not within the next 18 hours. */
export function clockTime(at: Date): string {
  const far = Math.abs(at.getTime() - Date.now()) > 18 * 3_600_000
  return (far ? weekday : clock).format(at)
}

export const plural = (value: number, one: string, many = `${one}s`) =>
  `${whole.format(value)} ${value === 1 ? one : many}`
