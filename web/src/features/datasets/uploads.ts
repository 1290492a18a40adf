import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { keys } from '../../api/keys'
import { uploadDataset, type DatasetUploaded, type Upload } from '../../api/upload-dataset'

export interface Sending {
  id: number
  name: string
  size: number
  sent: number
  state: 'sending' | 'checking' | 'stored' | 'refused'
  count: number | null
  error: unknown
}

let lastId = 0
const running = new Map<number, Upload>()

/** Files on their way to the server, several at once. */
export function useUploads(onStored: (dataset: DatasetUploaded) => void) {
  const queries = useQueryClient()
  const [sendings, setSendings] = useState<Sending[]>([])

  function change(id: number, with_: Partial<Sending>) {
    setSendings((all) => all.map((one) => (one.id === id ? { ...one, ...with_ } : one)))
  }

  function dismiss(id: number) {
    running.get(id)?.abort()
    running.delete(id)
    setSendings((all) => all.filter((one) => one.id !== id))
  }

  async function send(file: File) {
    lastId += 1
    const id = lastId
    const { name, size } = file
    setSendings((all) => [
      ...all,
      { id, name, size, sent: 0, state: 'sending', count: null, error: null },
    ])
    const upload = uploadDataset(file, (sent) => {
      change(id, { sent, state: sent >= size ? 'checking' : 'sending' })
    })
    running.set(id, upload)
    try {
      const stored = await upload.finished
      change(id, { sent: size, state: 'stored', count: stored.count })
      await queries.invalidateQueries({ queryKey: keys.datasets })
      onStored(stored)
    } catch (error) {
      change(id, { state: 'refused', error })
    } finally {
      running.delete(id)
    }
  }

  return {
    sendings,
    dismiss,
    add: (files: File[]) => {
      for (const file of files) void send(file)
    },
  }
}
