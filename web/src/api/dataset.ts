import { useQuery } from '@tanstack/react-query'
import { answer, api } from './client'
import { keys } from './keys'

export function useDataset(id: string) {
  return useQuery({
    queryKey: keys.dataset(id),
    queryFn: ({ signal }) =>
      answer(
        api.GET('/admin/datasets/{dataset_id}', { params: { path: { dataset_id: id } }, signal }),
      ),
  })
}
