import type { Model } from '../../api/models'
import { binary, count } from '../../ui/format'
import { Pairs } from '../../ui/Pairs'

/** The memory that one engine is predicted to take. */
export function Footprint({ model }: { model: Model }) {
  const { footprint } = model.fit
  if (!footprint) return null
  const each = footprint.gpus > 1 ? ` on each of ${String(footprint.gpus)} GPUs` : ''
  return (
    <Pairs
      title="Predicted memory"
      pairs={[
        ['Parameters', count(model.parameters)],
        ['Weights', `${binary(footprint.weights_bytes)}${each}`],
        ['Everything else', `${binary(footprint.overhead_bytes)}${each}, estimated`],
        ['KV cache of a token', `${binary(footprint.kv_token_bytes)}${each}`],
        [
          `KV cache of ${count(footprint.max_model_len)} tokens`,
          `${binary(footprint.kv_request_bytes)}${each}`,
        ],
      ]}
    />
  )
}
