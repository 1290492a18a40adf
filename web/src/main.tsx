import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/App'
import { createQueries } from './app/queries'
import { createAppRouter } from './app/router'
import './app/global.css'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')

const queries = createQueries()

createRoot(root).render(
  <StrictMode>
    <App queries={queries} router={createAppRouter(queries)} />
  </StrictMode>,
)
