import { failure, ServerAway, type Schemas } from './client'

export type DatasetUploaded = Schemas['DatasetUploaded']

export interface Upload {
  finished: Promise<DatasetUploaded>
  abort: () => void
}

function body(request: XMLHttpRequest): unknown {
  try {
    return JSON.parse(request.responseText)
  } catch {
    return undefined
  }
}

function isUploaded(answer: unknown): answer is DatasetUploaded {
  return typeof answer === 'object' && answer !== null && 'dataset_id' in answer
}

/** Send one file. XMLHttpRequest, because fetch reports no progress of what it sends. */
export function uploadDataset(file: File, onProgress: (sentBytes: number) => void): Upload {
  const request = new XMLHttpRequest()
  const finished = new Promise<DatasetUploaded>((resolve, reject) => {
    request.upload.onprogress = (event) => {
      onProgress(Math.min(event.loaded, file.size))
    }
    request.onload = () => {
      const answer = body(request)
      if (request.status < 300 && isUploaded(answer)) resolve(answer)
      else reject(failure(request.status, answer))
    }
    request.onerror = () => {
      reject(new ServerAway())
    }
    request.onabort = () => {
      reject(new DOMException('The upload was stopped.', 'AbortError'))
    }
  })
  const form = new FormData()
  form.append('file', file, file.name)
  request.open('POST', `${window.location.origin}/admin/datasets/upload`)
  request.send(form)
  return {
    finished,
    abort: () => {
      request.abort()
    },
  }
}
