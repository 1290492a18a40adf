import { Button, Group, Select, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Benchmark } from '../../api/benchmarks'
import { reasonOf } from '../../api/client'
import { useCreateGrader } from '../../api/graders'
import { Problem } from '../../ui/Problem'
import { EMPTY, KINDS, specOf, type Form } from './kinds'
import { SpecFields } from './SpecFields'

/** Makes a grader of a benchmark's dataset. */
export function GraderForm({ benchmark }: { benchmark: Benchmark }) {
  const [form, setForm] = useState<Form>(EMPTY)
  const [missing, setMissing] = useState<string | null>(null)
  const create = useCreateGrader()
  const kind = KINDS.find((one) => one.value === form.kind)

  function change(with_: Partial<Form>) {
    setForm((before) => ({ ...before, ...with_ }))
    setMissing(null)
    create.reset()
  }

  function submit(event: React.SubmitEvent) {
    event.preventDefault()
    const spec = specOf(form)
    if (typeof spec === 'string') {
      setMissing(spec)
      return
    }
    const name = form.name.trim() || (kind?.label ?? form.kind)
    create.mutate(
      { name, dataset_id: benchmark.dataset_id, spec },
      {
        onSuccess: () => {
          setForm(EMPTY)
        },
      },
    )
  }

  const problem = missing ?? (create.error ? reasonOf(create.error) : null)
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Select
          label="Grade by"
          description={kind?.means}
          allowDeselect={false}
          data={KINDS.map(({ value, label }) => ({ value, label }))}
          value={form.kind}
          onChange={(value) => {
            const chosen = KINDS.find((one) => one.value === value)
            if (chosen) change({ kind: chosen.value })
          }}
        />
        <SpecFields form={form} onChange={change} />
        <TextInput
          label="Name"
          description="Heads the column of scores."
          placeholder={kind?.label ?? ''}
          maxLength={60}
          value={form.name}
          onChange={(event) => {
            change({ name: event.currentTarget.value })
          }}
        />
        {problem !== null && <Problem title="The grader was not made" message={problem} />}
        <Group justify="flex-end">
          <Button type="submit" loading={create.isPending}>
            Add grader
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
