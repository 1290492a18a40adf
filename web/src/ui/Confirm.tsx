import { lazy, Suspense, useState } from 'react'
import type { ConfirmProps } from './ConfirmModal'

const ConfirmModal = lazy(() => import('./ConfirmModal'))

/** A question before something that cannot be undone; loaded when it is first asked. */
export function Confirm(props: ConfirmProps) {
  const [asked, setAsked] = useState(props.opened)
  if (props.opened && !asked) setAsked(true)
  return (
    asked && (
      <Suspense>
        <ConfirmModal {...props} />
      </Suspense>
    )
  )
}
