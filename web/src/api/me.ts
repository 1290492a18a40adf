import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { setKeyName } from './author'
import { answer, api } from './client'
import { keys } from './keys'

/** Who is logged in; nobody where the service asks for no key. */
export function useMe() {
  const { data } = useQuery({
    queryKey: keys.me,
    queryFn: ({ signal }) => answer(api.GET('/admin/me', { signal })),
    staleTime: Infinity,
  })
  const name = data?.name ?? null
  useEffect(() => {
    setKeyName(name)
  }, [name])
  return data
}

/** Forget this browser, and lead to the login page. */
export function useLogOut() {
  return useMutation({
    mutationFn: async () => {
      const { response } = await api.POST('/logout')
      // Logged out already is logged out, too.
      if (!response.ok && response.status !== 401)
        throw new Error('The server did not log you out.')
    },
    onSuccess: () => {
      window.location.assign('/login')
    },
  })
}
