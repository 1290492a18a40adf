/** Readers of URL search parameters: what does not fit is as if it were not there. */

export type Raw = Record<string, unknown>

/** Parameters of which a link needs to name none. */
export const optional = <T extends object>(values: T): Partial<T> => values

export function text(raw: Raw, name: string): string | undefined {
  const value = raw[name]
  if (typeof value === 'string') return value === '' ? undefined : value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

export function index(raw: Raw, name: string): number | undefined {
  const value = Number(raw[name] ?? NaN)
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

export function share(raw: Raw, name: string): number | undefined {
  const value = Number(raw[name] ?? NaN)
  return value >= 0 && value <= 1 ? value : undefined
}

export function flag(raw: Raw, name: string): boolean | undefined {
  const value = raw[name]
  if (value === true || value === 'true') return true
  return value === false || value === 'false' ? false : undefined
}

export function oneOf<T extends string>(
  raw: Raw,
  name: string,
  allowed: readonly T[],
): T | undefined {
  return allowed.find((one) => one === raw[name])
}

/** Names separated by commas. */
export const listed = (value: string | undefined): string[] => [
  ...new Set((value ?? '').split(',').filter(Boolean)),
]

export const unlisted = (values: string[]): string | undefined =>
  values.length > 0 ? values.join(',') : undefined
