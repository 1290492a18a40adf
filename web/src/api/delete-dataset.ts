import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from './client'
import { keys } from './keys'

export function useDeleteDataset() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) =>
      answer(api.DELETE('/admin/datasets/{dataset_id}', { params: { path: { dataset_id: id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.datasets }),
  })
}
