import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

export type BatchRequest = Schemas['Request']

/** Requests of a dataset in the order of its file. */
export function useRequests(id: string, limit: number, offset: number) {
  return useQuery({
    queryKey: keys.requests(id, offset),
    queryFn: ({ signal }) =>
      answer(
        api.GET('/admin/datasets/{dataset_id}/requests', {
          params: { path: { dataset_id: id }, query: { limit, offset } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  })
}
