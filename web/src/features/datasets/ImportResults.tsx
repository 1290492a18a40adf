import { Button, FileInput, Group, Modal, Progress, Stack, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Dataset } from '../../api/datasets'
import { reasonOf } from '../../api/client'
import { useImportResults, type ResultsImported } from '../../api/import-results'
import { bytes, count, plural } from '../../ui/format'
import { Icon } from '../../ui/Icon'
import { Problem } from '../../ui/Problem'
import { LineErrors, lineErrors } from './LineErrors'
import classes from './Upload.module.css'

interface ImportResultsProps {
  dataset: Dataset
  onClose: () => void
}

/** Brings results of another system over a dataset, to compare with. */
export default function ImportResults({ dataset, onClose }: ImportResultsProps) {
  const [name, setName] = useState('')
  const [file, setFile] = useState<File | null>(null)
  const [sent, setSent] = useState(0)
  const bring = useImportResults()
  const report = lineErrors(bring.error)

  function send() {
    if (!file) return
    setSent(0)
    bring.mutate({ datasetId: dataset.id, name: name.trim(), file, onProgress: setSent })
  }

  return (
    <Modal opened onClose={onClose} size="lg" title={<strong>Import results</strong>}>
      {bring.data ? (
        <Imported dataset={dataset} imported={bring.data} />
      ) : (
        <Stack gap="md">
          <p className={classes.hint}>
            Answers of your current system, say, to the requests of {dataset.name}: OpenAI’s batch
            output (JSON lines), or CSV with the columns custom_id and response.
          </p>
          <TextInput
            label="What they are of"
            placeholder="Current system"
            required
            maxLength={200}
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value)
            }}
          />
          <FileInput
            label="File"
            placeholder="Choose a file"
            accept=".jsonl,.json,.csv,.txt"
            required
            leftSection={<Icon name="file" />}
            value={file}
            onChange={(chosen) => {
              bring.reset()
              setFile(chosen)
            }}
          />
          {bring.isPending && file && (
            <div role="status" className={classes.hint}>
              <Progress value={(100 * sent) / Math.max(file.size, 1)} aria-label="Upload" mb={6} />
              {sent < file.size ? `${bytes(sent)} of ${bytes(file.size)}` : 'Matching every line…'}
            </div>
          )}
          {bring.error && (
            <Problem title="Nothing was imported" message={reasonOf(bring.error)}>
              {report && <LineErrors {...report} />}
            </Problem>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              leftSection={<Icon name="upload" />}
              disabled={!file || name.trim() === ''}
              loading={bring.isPending}
              onClick={send}
            >
              Import
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  )
}

function Imported({ dataset, imported }: { dataset: Dataset; imported: ResultsImported }) {
  const { completed, failed, missing, unmatched, unmatched_lines: lines } = imported
  return (
    <Stack gap="sm">
      <p role="status">
        {plural(completed, 'answer')} of {imported.model_name} to {dataset.name} imported.
        {failed > missing && ` ${plural(failed - missing, 'request')} had failed there.`}
        {missing > 0 &&
          ` ${plural(missing, 'request')} had no result in the file and count as failed.`}
      </p>
      {unmatched > 0 && (
        <Problem
          title={`${plural(unmatched, 'result')} of the file matched no request and were left out`}
        >
          <ul className={classes.unmatched} tabIndex={0}>
            {lines.map((one) => (
              <li key={one.line}>
                Line {count(one.line)}: <code>{one.custom_id}</code>
              </li>
            ))}
            {unmatched > lines.length && <li>and {count(unmatched - lines.length)} more</li>}
          </ul>
        </Problem>
      )}
      <Group justify="flex-end">
        <Button
          renderRoot={(props) => (
            <Link
              to="/results/$benchmarkId"
              params={{ benchmarkId: imported.benchmark_id }}
              {...props}
            />
          )}
        >
          View results
        </Button>
      </Group>
    </Stack>
  )
}
