import { Button } from '@mantine/core'
import { Link, type ErrorComponentProps } from '@tanstack/react-router'
import { reasonOf } from '../api/client'
import { Empty } from '../ui/Empty'
import { Problem } from '../ui/Problem'

export function NotFoundPage() {
  return (
    <Empty icon="search" title="There is no such page">
      <p>The address may be mistyped, or the page was moved.</p>
      <Button renderRoot={(props) => <Link to="/runner" {...props} />}>Go to the runner</Button>
    </Empty>
  )
}

export function ErrorPage({ error, reset }: ErrorComponentProps) {
  return <Problem title="This page broke" message={reasonOf(error)} onRetry={reset} />
}
