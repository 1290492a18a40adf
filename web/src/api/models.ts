import { useQuery } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

export type Model = Schemas['Model']

export function useModels() {
  return useQuery({
    queryKey: keys.models,
    queryFn: ({ signal }) => answer(api.GET('/admin/models', { signal })),
    staleTime: 60_000,
  })
}
