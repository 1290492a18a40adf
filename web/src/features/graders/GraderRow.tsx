import { ActionIcon, Button, Group, Tooltip } from '@mantine/core'
import { isLive, type Benchmark } from '../../api/benchmarks'
import { useDeleteGrader, useJudge, useRecompute, type Grader } from '../../api/graders'
import type { ScoreColumn } from '../../api/scores'
import { Icon } from '../../ui/Icon'
import { notifyDone, notifyRefused } from '../../ui/notify'
import { points } from '../../ui/format'
import { Tag } from '../../ui/Tag'
import { KINDS } from './kinds'
import classes from './Graders.module.css'

interface GraderRowProps {
  benchmark: Benchmark
  grader: Grader
  scores: ScoreColumn[]
}

const WORDS = { pending: 'grading', complete: 'graded', failed: 'judge failed' } as const
const TONES = { pending: 'live', complete: 'good', failed: 'bad' } as const

/** One grader: what it does, how far it is, and what can be done with it. */
export function GraderRow({ benchmark, grader, scores }: GraderRowProps) {
  const remove = useDeleteGrader()
  const recompute = useRecompute()
  const judge = useJudge()
  const { spec } = grader
  const kind = KINDS.find((one) => one.value === spec.kind)
  const own = scores.filter((one) => one.grader.grader_id === grader.grader_id)
  const pointwise = spec.kind === 'judge' && spec.mode === 'pointwise'

  function ask() {
    judge.mutate(
      { benchmarkId: benchmark.benchmark_id, graderId: grader.grader_id },
      {
        onSuccess: () => void notifyDone('The judge is queued as a benchmark of its own.'),
        onError: (reason) => void notifyRefused('The judge was not started', reason),
      },
    )
  }

  return (
    <li className={classes.grader}>
      <div className={classes.what}>
        <strong>{grader.name}</strong>
        <span className={classes.kind}>{kind?.label ?? spec.kind}</span>
      </div>
      <Group gap="xs" wrap="nowrap">
        {own.map((one) => (
          <Tag key={one.key} tone={TONES[one.state]}>
            {one.mean === null ? WORDS[one.state] : `${points(one.mean)} points`}
          </Tag>
        ))}
        {pointwise && (
          <Button
            size="xs"
            variant="default"
            disabled={isLive(benchmark.status)}
            loading={judge.isPending}
            onClick={ask}
          >
            Judge {benchmark.model_name}
          </Button>
        )}
        <Tooltip label="Compute the scores anew">
          <ActionIcon
            variant="default"
            aria-label={`Compute ${grader.name} anew`}
            onClick={() => {
              recompute.mutate(grader.grader_id)
            }}
          >
            <Icon name="retry" size={14} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Delete the grader and its scores">
          <ActionIcon
            variant="default"
            aria-label={`Delete ${grader.name}`}
            onClick={() => {
              remove.mutate(grader.grader_id, {
                onError: (reason) => void notifyRefused('The grader was not deleted', reason),
              })
            }}
          >
            <Icon name="trash" size={14} />
          </ActionIcon>
        </Tooltip>
      </Group>
    </li>
  )
}
