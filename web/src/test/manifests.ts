import type { Schemas } from '../api/client'

/** Manifests and agreement as the API would send them. */

export const aManifest = (): Schemas['Manifest'] => ({
  spec: {
    benchmark_id: 'bm_1',
    dataset_id: 'ds_1',
    dataset_sha256: 'd1',
    total: 5000,
    chunk_rows: 32,
    model: {
      model_id: 'org/small',
      name: 'Small',
      description: '',
      parameters: 1,
      weights_bytes: 1,
      memory_gib: 1,
      license: 'MIT',
      engine: 'vllm',
      dtype: 'auto',
      tensor_parallel: 1,
      max_num_seqs: 1,
    },
    sampling: { temperature: 0 },
    task: 'generate',
  },
  placement: { replicas: 1, gpus_per_replica: 1, elsewhere: false },
  versions: { ray: '2' },
  code: { commit: 'c0ffee', changed: true },
  imported: null,
  engines: [
    {
      replica: 'node-1',
      loaded_at: '2026-01-02T03:04:05Z',
      versions: { vllm: '0.32.0' },
      machine: {
        cpu: 'EPYC',
        cores: 16,
        memory_bytes: 1,
        system: 'Linux',
        gpus: [{ name: 'H100', memory_mib: 80_000, driver: '1' }],
      },
      weights: { source: 'hub:org/small', revision: 'abc', sha256: 'w1' },
      chat_template_sha256: 't1',
      arguments: { max_num_seqs: 1 },
      predicted: {
        gpus: 1,
        weights_bytes: 15 * 2 ** 30,
        overhead_bytes: 2 * 2 ** 30,
        kv_token_bytes: 131_072,
        kv_request_bytes: 16 * 2 ** 30,
        max_model_len: 131_072,
      },
      predicted_kv_cache_tokens: 450_000,
      taken: {
        weights_bytes: 15.1 * 2 ** 30,
        overhead_bytes: 1.7 * 2 ** 30,
        kv_cache_tokens: 460_496,
      },
    },
  ],
})

export const anAgreement = (
  with_: Partial<Schemas['Reproduction']> = {},
): Schemas['Reproduction'] => ({
  benchmark_id: 'bm_2',
  first_id: 'bm_1',
  compared: 200,
  exact: 190,
  normalized: 196,
  differing: 10,
  exact_share: 0.95,
  normalized_share: 0.98,
  one_failed: 1,
  both_failed: 0,
  changed: [],
  ...with_,
})
