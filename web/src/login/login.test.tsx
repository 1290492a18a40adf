import { MantineProvider } from '@mantine/core'
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { http, HttpResponse } from 'msw'
import { describe, expect, it } from 'vitest'
import { open } from '../test/render'
import { API, refusal, server } from '../test/server'
import { LoginPage } from './LoginPage'
import { wanted } from './wanted'

const here = 'http://localhost:3000'

describe('where logging in leads', () => {
  it.each([
    ['', '/'],
    ['?next=%2Fresults%2Fbm_1%3Fq%3Da%2520b', '/results/bm_1?q=a%20b'],
    ['?next=%2F%2Fevil.example', '/'],
    ['?next=https%3A%2F%2Fevil.example%2F', '/'],
    ['?next=%2F%5Cevil.example', '/'],
    ['?next=javascript%3Aalert(1)', '/'],
    ['?next=http%3A%2F%2Flocalhost%3A3000%2F%2Fevil.example', '/'],
  ])('%s → %s', (search, page) => {
    expect(wanted({ search, origin: here })).toBe(page)
  })
})

describe('the login page', () => {
  it('says that a key is not known, and keeps it out of the page', async () => {
    server.use(
      http.post(`${API}/login`, () => refusal(401, { code: 'invalid_api_key', message: 'No.' })),
    )
    render(
      <MantineProvider env="test">
        <LoginPage />
      </MantineProvider>,
    )
    const user = userEvent.setup()
    const field = screen.getByLabelText(/API key/)
    expect(field).toHaveAttribute('type', 'password')
    await user.type(field, 'br_wrong')
    await user.click(screen.getByRole('button', { name: 'Log in' }))
    expect(await screen.findByText(/no such key/)).toBeVisible()
  })
})

describe('the header', () => {
  const me = (name: string | null, loggedIn: boolean) =>
    http.get(`${API}/admin/me`, () =>
      HttpResponse.json({ name, scope: 'run', logged_in: loggedIn, version: '0' }),
    )

  it('has nobody where no key is asked for', async () => {
    open('/runner')
    await screen.findByRole('link', { name: 'Benchmark Runner' })
    expect(screen.queryByRole('button', { name: 'Log out' })).not.toBeInTheDocument()
  })

  it('names who is logged in, and offers to log out', async () => {
    server.use(me('Ada', true))
    open('/runner')
    expect(await screen.findByText('Ada')).toBeVisible()
    expect(screen.getByRole('button', { name: 'Log out' })).toBeVisible()
  })
})
