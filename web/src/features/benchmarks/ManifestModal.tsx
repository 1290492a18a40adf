import { Modal, Skeleton, Stack } from '@mantine/core'
import type { Benchmark } from '../../api/benchmarks'
import { reasonOf } from '../../api/client'
import { useManifest, type Manifest } from '../../api/manifest'
import { binary, plural } from '../../ui/format'
import { Json } from '../../ui/Json'
import { Pairs } from '../../ui/Pairs'
import { Problem } from '../../ui/Problem'

interface ManifestModalProps {
  benchmark: Benchmark
  onClose: () => void
}

type Entry = [string, unknown]
const present = (pairs: Entry[]) => pairs.filter(([, value]) => value != null && value !== '')

/** All that a benchmark's answers depend on, to make them again elsewhere. */
export default function ManifestModal({ benchmark, onClose }: ManifestModalProps) {
  const { data, error } = useManifest(benchmark.benchmark_id)
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={
        <strong>
          Manifest of {benchmark.model_name} on {benchmark.dataset_name}
        </strong>
      }
    >
      {error && !data && <Problem title="There is no manifest" message={reasonOf(error)} />}
      {!data && !error && <Skeleton height={320} />}
      {data && <Facts manifest={data} />}
    </Modal>
  )
}

function Facts({ manifest }: { manifest: Manifest }) {
  const { spec, code, imported, engines = [] } = manifest
  const { model } = spec
  return (
    <Stack gap="md">
      <Pairs
        title="What was run"
        pairs={present([
          ['Benchmark', spec.benchmark_id],
          ['Model', model.model_id],
          ['Service', model.endpoint && `${model.endpoint.base_url}, ${model.endpoint.model}`],
          ['Dataset', spec.dataset_id],
          ['Dataset sha256', spec.dataset_sha256],
          ['Sampling', sampling(spec.sampling)],
          ['File', imported && `${imported.name}, sha256 ${imported.sha256}`],
          ['Code', code && `${code.commit}${code.changed ? ', with changes' : ''}`],
        ])}
      />
      {engines.map((engine) => (
        <Pairs
          key={engine.replica}
          title={`Engine ${engine.replica}`}
          pairs={present([
            ['Weights', engine.weights?.source],
            ['Revision', engine.weights?.revision],
            ['Weights sha256', engine.weights?.sha256],
            ['Chat template sha256', engine.chat_template_sha256],
            ['Arguments', engine.arguments],
            ['Processor', `${engine.machine.cpu}, ${String(engine.machine.cores)} cores`],
            ['GPUs', engine.machine.gpus.map((gpu) => gpu.name).join(', ')],
            ...memory(engine),
            [
              'Versions',
              Object.entries(engine.versions)
                .map(([name, version]) => `${name} ${version}`)
                .join(', '),
            ],
          ])}
        />
      ))}
      <Json label="Manifest as JSON" value={manifest} />
    </Stack>
  )
}

/** The memory that an engine was predicted to take, and what it has taken. */
function memory({
  predicted,
  predicted_kv_cache_tokens: tokens,
  taken,
}: NonNullable<Manifest['engines']>[number]): Entry[] {
  const both = (then: string | null, now: string | null) =>
    [then && `predicted ${then}`, now && `taken ${now}`].filter(Boolean).join(', ')
  const size = (value: number | null | undefined) => (value == null ? null : binary(value))
  const many = (value: number | null | undefined) => (value == null ? null : plural(value, 'token'))
  return [
    ['Memory: weights', both(size(predicted?.weights_bytes), size(taken?.weights_bytes))],
    ['Memory: rest', both(size(predicted?.overhead_bytes), size(taken?.overhead_bytes))],
    ['Memory: KV cache', both(many(tokens), many(taken?.kv_cache_tokens))],
    ['Memory of the process', size(taken?.process_bytes)],
  ]
}

function sampling(overrides: object): string {
  const set = Object.entries(overrides).filter(([, value]) => value != null)
  return set.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ') || 'as requested'
}
