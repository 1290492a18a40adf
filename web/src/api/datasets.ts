import { useQuery } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

export type Dataset = Schemas['Dataset']

export function useDatasets() {
  return useQuery({
    queryKey: keys.datasets,
    queryFn: ({ signal }) => answer(api.GET('/admin/datasets', { signal })),
  })
}

export const datasetFile = (id: string) => `/admin/datasets/${encodeURIComponent(id)}/download`
