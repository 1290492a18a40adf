import { Button } from '@mantine/core'
import { useLogOut, useMe } from '../api/me'
import { notifyRefused } from '../ui/notify'
import classes from './Shell.module.css'

/** Who is logged in, and the way out. */
export function Account() {
  const me = useMe()
  const logOut = useLogOut()
  if (me?.name == null) return null
  return (
    <>
      <span className={classes.who} title={`Scope: ${me.scope}`}>
        {me.name}
      </span>
      {me.logged_in && (
        <Button
          variant="default"
          size="compact-xs"
          loading={logOut.isPending}
          onClick={() => {
            logOut.mutate(undefined, {
              onError: (reason) => {
                void notifyRefused('You are still logged in', reason)
              },
            })
          }}
        >
          Log out
        </Button>
      )}
    </>
  )
}
