import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { Refused, ServerAway } from '../api/client'
import { keys } from '../api/keys'

/** Logged out, or the key is not in force any more: to the login page, and back here from there. */
function askForKey(error: Error) {
  if (!(error instanceof Refused) || error.status !== 401) return
  const { pathname, search } = window.location
  window.location.assign(`/login?next=${encodeURIComponent(pathname + search)}`)
}

/** The cache of all server state. A server that goes away is noticed by whichever call meets it. */
export function createQueries(): QueryClient {
  const queries: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        askForKey(error)
        if (error instanceof ServerAway && query.queryKey[0] !== keys.health[0]) {
          void queries.invalidateQueries({ queryKey: keys.health })
        }
      },
    }),
    mutationCache: new MutationCache({ onError: askForKey }),
    defaultOptions: {
      queries: {
        networkMode: 'always',
        staleTime: 2_000,
        retry: (failures, error) => !(error instanceof Refused) && failures < 2,
      },
      mutations: { networkMode: 'always' },
    },
  })
  return queries
}
