import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schemas } from './client'
import { keys } from './keys'

export type AddModelRequest = Schemas['AddModelRequest']

/** What adding a model would make of it; nothing is kept. */
export function useCheckModel() {
  return useMutation({
    mutationFn: (body: AddModelRequest) => answer(api.POST('/admin/models/check', { body })),
  })
}

export function useAddModel() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: AddModelRequest) => answer(api.POST('/admin/models', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.models }),
  })
}
