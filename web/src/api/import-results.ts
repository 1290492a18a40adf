import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { Schemas } from './client'
import { keys } from './keys'
import { sendFile } from './send-file'

export type ResultsImported = Schemas['ResultsImported']

interface Import {
  datasetId: string
  name: string
  file: File
  onProgress: (sentBytes: number) => void
}

function isImported(answer: unknown): answer is ResultsImported {
  return typeof answer === 'object' && answer !== null && 'benchmark_id' in answer
}

/** Store results of another system as a finished benchmark. */
export function useImportResults() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ datasetId, name, file, onProgress }: Import) => {
      const query = new URLSearchParams({ name })
      const path = `/admin/datasets/${encodeURIComponent(datasetId)}/results/upload`
      return sendFile(`${path}?${query.toString()}`, file, isImported, onProgress).finished
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.benchmarks }),
  })
}
