import { createMemoryHistory } from '@tanstack/react-router'
import { render } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { App } from '../app/App'
import { createQueries } from '../app/queries'
import { createAppRouter } from '../app/router'

/** The whole page at an address, as a person opens it. */
export function open(path: string) {
  const queries = createQueries()
  const router = createAppRouter(queries, createMemoryHistory({ initialEntries: [path] }))
  render(<App queries={queries} router={router} />)
  return { user: userEvent.setup(), search: () => router.state.location.search, router }
}
