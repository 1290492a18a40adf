import { Modal, Skeleton } from '@mantine/core'
import { useEffect, useRef } from 'react'
import { isLive, type Benchmark } from '../../api/benchmarks'
import { reasonOf } from '../../api/client'
import { useJobLog } from '../../api/job-log'
import { plural } from '../../ui/format'
import { Problem } from '../../ui/Problem'
import classes from './LogModal.module.css'

interface LogModalProps {
  benchmark: Benchmark
  onClose: () => void
}

/** What the job of a benchmark prints, live. */
export default function LogModal({ benchmark, onClose }: LogModalProps) {
  const live = isLive(benchmark.status)
  const { data, error } = useJobLog(benchmark.benchmark_id, live)
  const box = useRef<HTMLPreElement>(null)
  const atEnd = useRef(true)
  const text = data?.lines.join('\n') ?? ''
  useEffect(() => {
    // New lines come into view, unless somebody has scrolled up to read.
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight
  }, [text])
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={<strong>Log of {benchmark.model_name}</strong>}
    >
      {error && !data && <Problem title="The log could not be read" message={reasonOf(error)} />}
      {!data && !error && <Skeleton height={320} />}
      {data && !data.available && (
        <p className={classes.hint}>
          {data.job_id === null
            ? 'The job has not started yet.'
            : 'The log is gone: the Ray cluster that ran this job was started anew since.'}
        </p>
      )}
      {data?.available === true && (
        <>
          <p className={classes.hint}>
            {plural(data.total, 'line')}
            {data.first > 0 && `, the last ${String(data.lines.length)} here`}
            {live && '; new ones appear by themselves'}
          </p>
          <pre
            ref={box}
            className={classes.log}
            role="log"
            aria-label="Log"
            aria-live="off"
            tabIndex={0}
            onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
              atEnd.current = scrollHeight - scrollTop - clientHeight < 24
            }}
          >
            {text}
          </pre>
        </>
      )}
    </Modal>
  )
}
