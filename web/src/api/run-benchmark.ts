import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, reasonOf, type Schemas } from './client'
import { keys } from './keys'

export type Sampling = Schemas['Sampling']

export interface Run {
  datasetId: string
  modelIds: string[]
  sampling: Sampling
}

export interface Outcome {
  started: string[]
  refused: { modelId: string; reason: string }[]
}

async function start(modelId: string, run: Run) {
  return answer(
    api.POST('/admin/benchmarks/run', {
      body: { model_id: modelId, dataset_id: run.datasetId, sampling: run.sampling },
    }),
  )
}

/** Start one benchmark per model. One model's refusal does not keep the others from starting. */
export function useRunBenchmarks() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async (run: Run): Promise<Outcome> => {
      const outcome: Outcome = { started: [], refused: [] }
      // One after another, so that the queue has the order in which the models were picked.
      for (const modelId of run.modelIds) {
        try {
          await start(modelId, run)
          outcome.started.push(modelId)
        } catch (error) {
          outcome.refused.push({ modelId, reason: reasonOf(error) })
        }
      }
      return outcome
    },
    onSettled: () => queries.invalidateQueries({ queryKey: keys.benchmarks }),
  })
}
