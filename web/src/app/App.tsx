import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { Messages } from './Messages'
import type { Services } from './router'
import { cssVariables, theme } from './theme'

export function App({ queries, router }: Services) {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      cssVariablesResolver={cssVariables}
      // Tests wait for no animation.
      env={import.meta.env.MODE === 'test' ? 'test' : 'default'}
    >
      <Messages />
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  )
}
