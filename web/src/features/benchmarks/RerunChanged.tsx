import { useBenchmarkAction } from '../../api/benchmark-actions'
import { Refused } from '../../api/client'
import { Confirm } from '../../ui/Confirm'
import { notifyDone } from '../../ui/notify'

interface RerunChangedProps {
  benchmarkId: string
  /** The refusal that says what has changed; none while nothing is asked. */
  refusal: Error | null
  onClose: () => void
}

/** Whether an error says that a model's entry has changed since a benchmark ran. */
export const saysChanged = (error: Error) =>
  error instanceof Refused && error.code === 'model_changed'

/** Asks whether to run a model again though it is not as it was. */
export function RerunChanged({ benchmarkId, refusal, onClose }: RerunChangedProps) {
  const rerun = useBenchmarkAction('rerun-changed')

  function close() {
    rerun.reset()
    onClose()
  }

  return (
    <Confirm
      opened={refusal !== null}
      title="The model has changed since"
      action="Run it as it is now"
      keep="Do not run it"
      busy={rerun.isPending}
      error={rerun.error}
      onClose={close}
      onConfirm={() => {
        rerun.mutate(benchmarkId, {
          onSuccess: () => {
            void notifyDone('Started again, with the model as it is now.')
            close()
          },
        })
      }}
    >
      {refusal?.message}
    </Confirm>
  )
}
