import { useQuery } from '@tanstack/react-query'
import { answer, api, inTime } from './client'
import { keys } from './keys'

/** Whether the server answers: asked rarely while it does, every 2 s while it does not. */
export function useHealth() {
  return useQuery({
    queryKey: keys.health,
    queryFn: ({ signal }) => answer(api.GET('/health', { signal: inTime(signal) })),
    refetchInterval: (query) => (query.state.status === 'error' ? 2_000 : 15_000),
    retry: false,
  })
}
