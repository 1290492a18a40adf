import { Button, PasswordInput, Title } from '@mantine/core'
import { useState, type SubmitEvent } from 'react'
import classes from './LoginPage.module.css'
import { wanted } from './wanted'

async function logIn(key: string): Promise<string | null> {
  const answer = await fetch('/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  }).catch(() => undefined)
  if (answer?.ok === true) return null
  if (answer?.status === 401) return 'There is no such key, or it is not in force any more.'
  return 'The server does not answer. Try again in a moment.'
}

/** Where people come in with an API key; it stays with the server as a cookie of this browser. */
export function LoginPage() {
  const [key, setKey] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: SubmitEvent) {
    event.preventDefault()
    setBusy(true)
    const refused = await logIn(key.trim())
    if (refused === null) {
      window.location.replace(wanted(window.location))
      return
    }
    setProblem(refused)
    setBusy(false)
  }

  return (
    <main className={classes.page}>
      <form className={classes.card} onSubmit={(event) => void submit(event)}>
        <Title order={1}>Log in</Title>
        <PasswordInput
          label="API key"
          description="An operator of this service makes one for you."
          autoComplete="current-password"
          autoFocus
          required
          value={key}
          error={problem}
          onChange={(event) => {
            setKey(event.currentTarget.value)
            setProblem(null)
          }}
        />
        <Button type="submit" loading={busy} disabled={key.trim() === ''}>
          Log in
        </Button>
      </form>
    </main>
  )
}
