import { useBenchmarkAction } from '../../api/benchmark-actions'
import type { Benchmark } from '../../api/benchmarks'
import { Confirm } from '../../ui/Confirm'
import { notifyDone } from '../../ui/notify'

interface DeleteBenchmarkProps {
  benchmark: Benchmark | null
  onClose: () => void
}

export function DeleteBenchmark({ benchmark, onClose }: DeleteBenchmarkProps) {
  const deletion = useBenchmarkAction('delete')

  function close() {
    deletion.reset()
    onClose()
  }

  return (
    <Confirm
      opened={benchmark !== null}
      title="Delete this benchmark?"
      action="Delete benchmark"
      busy={deletion.isPending}
      error={deletion.error}
      onClose={close}
      onConfirm={() => {
        if (!benchmark) return
        deletion.mutate(benchmark.benchmark_id, {
          onSuccess: () => {
            void notifyDone(`Deleted ${benchmark.model_name} on ${benchmark.dataset_name}.`)
            close()
          },
        })
      }}
    >
      {benchmark && (
        <>
          <strong>{benchmark.model_name}</strong> on {benchmark.dataset_name} is deleted with all
          its results and golden marks.
        </>
      )}
    </Confirm>
  )
}
