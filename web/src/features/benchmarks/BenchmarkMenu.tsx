import { ActionIcon, Menu } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'
import { useBenchmarkAction } from '../../api/benchmark-actions'
import type { Benchmark } from '../../api/benchmarks'
import { resultsFile } from '../../api/files'
import { Icon } from '../../ui/Icon'
import { notifyDone, notifyRefused } from '../../ui/notify'
import { plural } from '../../ui/format'
import { RerunChanged, saysChanged } from './RerunChanged'

const LogModal = lazy(() => import('./LogModal'))
const ManifestModal = lazy(() => import('./ManifestModal'))

interface BenchmarkMenuProps {
  benchmark: Benchmark
  onDelete: (benchmark: Benchmark) => void
}

/** What can be done with a benchmark that has ended. */
export function BenchmarkMenu({ benchmark, onDelete }: BenchmarkMenuProps) {
  const { benchmark_id: id, model_name: model, dataset_name: dataset, failed } = benchmark
  // One that was cancelled, or stopped by a full disk, has requests without any result.
  const open = benchmark.total - benchmark.completed
  const rerun = useBenchmarkAction('rerun')
  const retry = useBenchmarkAction('retry-failed')

  const [changed, setChanged] = useState<Error | null>(null)
  const [shown, setShown] = useState(false)
  const [logShown, setLogShown] = useState(false)
  const imported = benchmark.engine === 'imported'

  function act(action: typeof rerun, done: string, refused: string) {
    action.mutate(id, {
      onSuccess: () => {
        void notifyDone(done)
      },
      onError: (error) => {
        if (saysChanged(error)) setChanged(error)
        else void notifyRefused(refused, error)
      },
    })
  }

  return (
    <>
      <Menu>
        <Menu.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            c="dimmed"
            aria-label={`Actions for ${model} on ${dataset}`}
          >
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {(['jsonl', 'csv'] as const).map((format) => (
            <Menu.Item
              key={format}
              leftSection={<Icon name="download" />}
              component="a"
              href={resultsFile(id, format)}
              download
            >
              Download {format.toUpperCase()}
            </Menu.Item>
          ))}
          <Menu.Item
            leftSection={<Icon name="list" />}
            onClick={() => {
              setShown(true)
            }}
          >
            Manifest…
          </Menu.Item>
          <Menu.Item
            leftSection={<Icon name="list" />}
            disabled={imported}
            onClick={() => {
              setLogShown(true)
            }}
          >
            Log…
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item
            leftSection={<Icon name="repeat" />}
            disabled={imported}
            onClick={() => {
              act(rerun, `Started ${model} on ${dataset} again.`, 'It did not start')
            }}
          >
            Run again
          </Menu.Item>
          <Menu.Item
            leftSection={<Icon name="retry" />}
            disabled={open === 0 || imported}
            onClick={() => {
              act(retry, `Retrying ${plural(open, 'request')}.`, 'The retry did not start')
            }}
          >
            {open > failed ? 'Do what is missing' : 'Retry failed requests'}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item
            leftSection={<Icon name="trash" />}
            c="var(--bad)"
            onClick={() => {
              onDelete(benchmark)
            }}
          >
            Delete…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <RerunChanged
        benchmarkId={id}
        refusal={changed}
        onClose={() => {
          setChanged(null)
        }}
      />
      {logShown && (
        <Suspense>
          <LogModal
            benchmark={benchmark}
            onClose={() => {
              setLogShown(false)
            }}
          />
        </Suspense>
      )}
      {shown && (
        <Suspense>
          <ManifestModal
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
