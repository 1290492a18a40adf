import { QueryCache, QueryClient } from '@tanstack/react-query'
import { Refused, ServerAway } from '../api/client'
import { keys } from '../api/keys'

/** The cache of all server state. A server that goes away is noticed by whichever call meets it. */
export function createQueries(): QueryClient {
  const queries: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        if (error instanceof ServerAway && query.queryKey[0] !== keys.health[0]) {
          void queries.invalidateQueries({ queryKey: keys.health })
        }
      },
    }),
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
