import { failure, ServerAway } from './client'

export interface Sent<T> {
  finished: Promise<T>
  abort: () => void
}

function body(request: XMLHttpRequest): unknown {
  try {
    return JSON.parse(request.responseText)
  } catch {
    return undefined
  }
}

/** Send one file. XMLHttpRequest, because fetch reports no progress of what it sends. */
export function sendFile<T>(
  path: string,
  file: File,
  isAnswer: (body: unknown) => body is T,
  onProgress: (sentBytes: number) => void,
): Sent<T> {
  const request = new XMLHttpRequest()
  const finished = new Promise<T>((resolve, reject) => {
    request.upload.onprogress = (event) => {
      onProgress(Math.min(event.loaded, file.size))
    }
    request.onload = () => {
      const answer = body(request)
      if (request.status < 300 && isAnswer(answer)) resolve(answer)
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
  request.open('POST', `${window.location.origin}${path}`)
  request.send(form)
  return {
    finished,
    abort: () => {
      request.abort()
    },
  }
}
