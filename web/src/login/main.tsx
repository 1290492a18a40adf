import '@mantine/core/styles.css'
import { MantineProvider } from '@mantine/core'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { cssVariables, theme } from '../app/theme'
import '../app/global.css'
import { LoginPage } from './LoginPage'

// A page of its own: strangers load it and nothing else.
const root = document.getElementById('root')
if (!root) throw new Error('login.html has no #root')

createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" cssVariablesResolver={cssVariables}>
      <LoginPage />
    </MantineProvider>
  </StrictMode>,
)
