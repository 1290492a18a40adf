import type { Dataset } from '../../api/datasets'
import { useDeleteDataset } from '../../api/delete-dataset'
import { Confirm } from '../../ui/Confirm'
import { plural } from '../../ui/format'
import { notifyDone } from '../../ui/notify'

interface DeleteDatasetProps {
  dataset: Dataset | null
  onClose: () => void
}

export function DeleteDataset({ dataset, onClose }: DeleteDatasetProps) {
  const deletion = useDeleteDataset()

  function close() {
    deletion.reset()
    onClose()
  }

  function confirm() {
    if (!dataset) return
    deletion.mutate(dataset.id, {
      onSuccess: () => {
        void notifyDone(`Deleted ${dataset.name}.`)
        close()
      },
    })
  }

  return (
    <Confirm
      opened={dataset !== null}
      title="Delete this dataset?"
      action="Delete dataset"
      busy={deletion.isPending}
      error={deletion.error}
      onConfirm={confirm}
      onClose={close}
    >
      {dataset && (
        <>
          <strong>{dataset.name}</strong> with {plural(dataset.count, 'request')} is removed from
          the server. Results of benchmarks that have ended stay.
        </>
      )}
    </Confirm>
  )
}
