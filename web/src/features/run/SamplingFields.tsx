import { NumberInput, SimpleGrid, TagsInput } from '@mantine/core'
import type { Sampling } from '../../api/run-benchmark'

interface Field {
  name: Exclude<keyof Sampling, 'stop'>
  label: string
  min?: number
  max?: number
  step?: number
  whole?: boolean
}

const FIELDS: Field[] = [
  { name: 'temperature', label: 'Temperature', min: 0, max: 2, step: 0.1 },
  { name: 'max_tokens', label: 'Most tokens', min: 1, whole: true },
  { name: 'top_p', label: 'Top p', min: 0.01, max: 1, step: 0.05 },
  { name: 'top_k', label: 'Top k', min: -1, whole: true },
  { name: 'min_p', label: 'Min p', min: 0, max: 1, step: 0.05 },
  { name: 'seed', label: 'Seed', whole: true },
  { name: 'presence_penalty', label: 'Presence penalty', min: -2, max: 2, step: 0.1 },
  { name: 'frequency_penalty', label: 'Frequency penalty', min: -2, max: 2, step: 0.1 },
  { name: 'repetition_penalty', label: 'Repetition penalty', min: 0.01, max: 2, step: 0.1 },
]

interface SamplingFieldsProps {
  value: Sampling
  onChange: (sampling: Sampling) => void
}

/** Overrides of what the requests say about sampling; an empty field overrides nothing. */
export default function SamplingFields({ value, onChange }: SamplingFieldsProps) {
  return (
    <>
      <SimpleGrid cols={{ base: 2, sm: 3 }} spacing="sm">
        {FIELDS.map(({ name, label, min, max, step, whole }) => (
          <NumberInput
            key={name}
            label={label}
            size="xs"
            placeholder="as requested"
            value={value[name] ?? ''}
            allowDecimal={whole !== true}
            hideControls
            {...(min === undefined ? {} : { min })}
            {...(max === undefined ? {} : { max })}
            {...(step === undefined ? {} : { step })}
            onChange={(typed) => {
              onChange({ ...value, [name]: typed === '' ? null : Number(typed) })
            }}
          />
        ))}
      </SimpleGrid>
      <TagsInput
        label="Stop at"
        size="xs"
        mt="sm"
        placeholder="Type a text and press Enter"
        maxTags={16}
        value={value.stop ?? []}
        onChange={(stop) => {
          onChange({ ...value, stop: stop.length > 0 ? stop : null })
        }}
      />
    </>
  )
}
