import { Loader } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useHealth } from '../api/health'
import { keys } from '../api/keys'
import classes from './Shell.module.css'

/** Says that the server is away while it is, and has everything read anew when it is back. */
export function AwayBanner() {
  const queries = useQueryClient()
  const { isError, isSuccess } = useHealth()
  const wasAway = useRef(false)
  useEffect(() => {
    if (isSuccess && wasAway.current) {
      void queries.invalidateQueries({
        predicate: (query) => query.queryKey[0] !== keys.health[0],
      })
    }
    wasAway.current = isError
  }, [isError, isSuccess, queries])
  if (!isError) return null
  return (
    <div role="alert" className={classes.away}>
      <Loader size={14} color="var(--warn)" aria-hidden />
      <span>
        <strong>Server away, retrying.</strong> Benchmarks go on without this page; it catches up by
        itself.
      </span>
    </div>
  )
}
