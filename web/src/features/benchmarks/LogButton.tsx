import { Button } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'
import type { Benchmark } from '../../api/benchmarks'
import { Icon } from '../../ui/Icon'

const LogModal = lazy(() => import('./LogModal'))

/** Opens the log of a live benchmark. */
export function LogButton({ benchmark }: { benchmark: Benchmark }) {
  const [shown, setShown] = useState(false)
  return (
    <>
      <Button
        variant="default"
        size="xs"
        leftSection={<Icon name="list" size={12} />}
        onClick={() => {
          setShown(true)
        }}
      >
        Log
      </Button>
      {shown && (
        <Suspense>
          <LogModal
            benchmark={benchmark}
            onClose={() => {
              setShown(false)
            }}
          />
        </Suspense>
      )}
    </>
  )
}
