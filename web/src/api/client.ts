import createClient from 'openapi-fetch'
import { author } from './author'
import type { components, paths } from './schema.gen'

export type Schemas = components['schemas']

/** The server did not answer, or a proxy answered in its place. */
export class ServerAway extends Error {
  constructor() {
    super('The server does not answer.')
    this.name = 'ServerAway'
  }
}

/** The server answered with an error of its own: `{error: {code, message, details}}`. */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  readonly details: Record<string, unknown>

  constructor(status: number, problem: Schemas['Problem']) {
    super(problem.message)
    this.name = 'Refused'
    this.status = status
    this.code = problem.code
    this.details = problem.details ?? {}
  }
}

const PATIENCE_MS = 8_000

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  // Looked up at each call, so that tests can put a mock in its place.
  fetch: (request) => globalThis.fetch(request),
})

// Who judges. A header holds Latin letters only, hence the encoding.
api.use({
  onRequest: ({ request }) => {
    if (author()) request.headers.set('x-author', encodeURIComponent(author()))
    return request
  },
})

function isProblem(body: unknown): body is Schemas['ErrorResponse'] {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false
  const { error } = body
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error
}

/** Gives up on a server that takes connections but does not answer. */
export function inTime(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
}

/** What an error answer means. */
export function failure(status: number, body: unknown): Error {
  if (isProblem(body)) return new Refused(status, body.error)
  // Every 404 of the service itself has a body; without one it is the proxy's, while the service
  // behind it comes back.
  if (status === 0 || status === 404 || status === 502 || status === 503 || status === 504)
    return new ServerAway()
  return new Refused(status, {
    code: 'unexpected_answer',
    message: `The server answered with status ${String(status)}.`,
    details: {},
  })
}

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The data of an answer; throws `Refused` or `ServerAway` when there is none. */
export async function answer<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call.catch((reason: unknown) => {
    if (reason instanceof DOMException && reason.name === 'AbortError') throw reason
    throw new ServerAway()
  })
  if (!response.ok) throw failure(response.status, error)
  if (data === undefined) throw failure(response.status, undefined)
  return data
}

/** A sentence for people about anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
