import { Modal, Pagination, Title } from '@mantine/core'
import { useState } from 'react'
import type { Benchmark } from '../../api/benchmarks'
import { reasonOf } from '../../api/client'
import { useGraders } from '../../api/graders'
import type { ScoreColumn } from '../../api/scores'
import { Problem } from '../../ui/Problem'
import { GraderForm } from './GraderForm'
import { GraderRow } from './GraderRow'
import classes from './Graders.module.css'

interface GradersModalProps {
  benchmark: Benchmark
  scores: ScoreColumn[]
  onClose: () => void
}

const PAGE_ROWS = 10

/** The graders of a benchmark's dataset: what there is, and a new one. */
export default function GradersModal({ benchmark, scores, onClose }: GradersModalProps) {
  const { data, error } = useGraders(benchmark.benchmark_id)
  const [page, setPage] = useState(1)
  const graders = data?.graders ?? []
  const pages = Math.ceil(graders.length / PAGE_ROWS)
  const from = (Math.min(page, Math.max(pages, 1)) - 1) * PAGE_ROWS
  return (
    <Modal
      opened
      onClose={onClose}
      size={640}
      title={<strong>Graders of {benchmark.dataset_name}</strong>}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {error && <Problem title="The graders could not be read" message={reasonOf(error)} />}
      {data && graders.length === 0 && (
        <p className={classes.none}>
          A grader scores every answer of every benchmark over this dataset, so that models can be
          told apart by more than their looks.
        </p>
      )}
      <ul className={classes.list}>
        {graders.slice(from, from + PAGE_ROWS).map((grader) => (
          <GraderRow key={grader.grader_id} benchmark={benchmark} grader={grader} scores={scores} />
        ))}
      </ul>
      {pages > 1 && <Pagination mb="md" total={pages} value={page} onChange={setPage} />}
      <Title order={3} mb="xs">
        New grader
      </Title>
      <GraderForm benchmark={benchmark} />
    </Modal>
  )
}
