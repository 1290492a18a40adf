import { Button, Group } from '@mantine/core'
import { useGraders, useJudge } from '../../api/graders'
import { notifyDone, notifyRefused } from '../../ui/notify'

interface PairJudgeProps {
  ids: string[]
  names: string[]
}

/** Has the first benchmark's answers compared with each other one's by its pairwise judges. */
export function PairJudge({ ids, names }: PairJudgeProps) {
  const [first = '', ...others] = ids
  const { data } = useGraders(first)
  const judge = useJudge()
  const judges = (data?.graders ?? []).filter(
    ({ spec }) => spec.kind === 'judge' && spec.mode === 'pairwise',
  )
  if (judges.length === 0) return null

  function ask(graderId: string, againstId: string) {
    judge.mutate(
      { benchmarkId: first, graderId, againstId },
      {
        onSuccess: () => void notifyDone('The judge is queued as a benchmark of its own.'),
        onError: (reason) => void notifyRefused('The judge was not started', reason),
      },
    )
  }

  return (
    <Group gap="xs" mt="sm">
      {judges.flatMap(({ grader_id: id, name }) =>
        others.map((other, at) => (
          <Button
            key={id + other}
            size="xs"
            variant="default"
            loading={judge.isPending}
            onClick={() => {
              ask(id, other)
            }}
          >
            {name}: compare {names[0]} with {names[at + 1]}
          </Button>
        )),
      )}
    </Group>
  )
}
