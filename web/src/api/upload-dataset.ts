import type { Schemas } from './client'
import { sendFile, type Sent } from './send-file'

export type DatasetUploaded = Schemas['DatasetUploaded']
export type Upload = Sent<DatasetUploaded>

function isUploaded(answer: unknown): answer is DatasetUploaded {
  return typeof answer === 'object' && answer !== null && 'dataset_id' in answer
}

/** Send a file that becomes a dataset. */
export function uploadDataset(file: File, onProgress: (sentBytes: number) => void): Upload {
  return sendFile('/admin/datasets/upload', file, isUploaded, onProgress)
}
