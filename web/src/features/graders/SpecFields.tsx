import { NumberInput, SegmentedControl, Select, Textarea, TextInput } from '@mantine/core'
import { useModels } from '../../api/models'
import { usesField, type Form } from './kinds'

interface SpecFieldsProps {
  form: Form
  onChange: (change: Partial<Form>) => void
}

/** What a kind of grader needs to be told. */
export function SpecFields({ form, onChange }: SpecFieldsProps) {
  const models = useModels().data?.models ?? []
  return (
    <>
      {usesField(form.kind) && (
        <TextInput
          label="Expected value"
          description="A field of the dataset's lines; dots lead into objects, as metadata.answer."
          value={form.field}
          onChange={(event) => {
            onChange({ field: event.currentTarget.value })
          }}
        />
      )}
      {form.kind === 'regex' && (
        <TextInput
          label="Pattern"
          description="Empty: the expected value is the pattern."
          value={form.pattern}
          onChange={(event) => {
            onChange({ pattern: event.currentTarget.value })
          }}
        />
      )}
      {form.kind === 'numeric' && (
        <NumberInput
          label="Largest allowed difference"
          min={0}
          value={form.tolerance}
          onChange={(value) => {
            onChange({ tolerance: Number(value) || 0 })
          }}
        />
      )}
      {form.kind === 'json_schema' && (
        <Textarea
          label="JSON Schema"
          autosize
          minRows={4}
          maxRows={12}
          ff="monospace"
          value={form.schema}
          onChange={(event) => {
            onChange({ schema: event.currentTarget.value })
          }}
        />
      )}
      {form.kind === 'judge' && (
        <>
          <Select
            label="Model that judges"
            placeholder="Choose a model"
            data={models.map((one) => ({ value: one.model_id, label: one.name }))}
            value={form.model || null}
            onChange={(model) => {
              onChange({ model: model ?? '' })
            }}
          />
          <SegmentedControl
            aria-label="How it judges"
            data={[
              { value: 'pointwise', label: 'Each answer, 1 to 5' },
              { value: 'pairwise', label: 'Two answers, which is better' },
            ]}
            value={form.mode}
            onChange={(mode) => {
              onChange({ mode: mode === 'pairwise' ? mode : 'pointwise' })
            }}
          />
          <Textarea
            label="What to judge by"
            autosize
            minRows={2}
            value={form.instructions}
            onChange={(event) => {
              onChange({ instructions: event.currentTarget.value })
            }}
          />
        </>
      )}
    </>
  )
}
