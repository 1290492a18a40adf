import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from './client'
import { keys } from './keys'

export function useRemoveModel() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) =>
      answer(api.DELETE('/admin/models/{model_id}', { params: { path: { model_id: id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.models }),
  })
}
