import { Button, Group, NumberInput, Select, SimpleGrid, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useAddModel, useCheckModel, type AddModelRequest } from '../../api/add-model'
import { reasonOf } from '../../api/client'
import { Icon } from '../../ui/Icon'
import { notifyDone } from '../../ui/notify'
import { Problem } from '../../ui/Problem'
import { FitTag } from './FitTag'
import { Footprint } from './Footprint'
import classes from './Models.module.css'

const EMPTY: AddModelRequest = {
  source: '',
  dtype: 'auto',
  tensor_parallel: 1,
  max_num_seqs: 256,
}
const DTYPES = ['auto', 'bfloat16', 'float16', 'float32'] as const
const QUANTIZATIONS = [
  { value: 'fp8', label: 'FP8' },
  { value: 'bitsandbytes', label: '4 bits (bitsandbytes)' },
] as const

/** A model from the hub or a folder: checked first, then put into the registry. */
export function AddModel({ onAdded }: { onAdded: () => void }) {
  const [wanted, setWanted] = useState(EMPTY)
  const check = useCheckModel()
  const add = useAddModel()
  const checked = check.data
  const error = add.error ?? check.error

  function change(fields: Partial<AddModelRequest>) {
    check.reset()
    add.reset()
    setWanted((before) => ({ ...before, ...fields }))
  }

  function keep() {
    add.mutate(wanted, {
      onSuccess: (model) => {
        void notifyDone(`Added ${model.name}.`)
        onAdded()
      },
    })
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        check.mutate(wanted)
      }}
    >
      <Stack gap="md">
        <TextInput
          label="Hub id or folder"
          description="Its weights have to be safetensors; no code of the repository is run"
          placeholder="org/name, or /folder/on/every/node"
          required
          maxLength={500}
          value={wanted.source}
          onChange={(event) => {
            change({ source: event.currentTarget.value.trim() })
          }}
        />
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          <TextInput
            label="Name"
            placeholder="as the model’s"
            maxLength={200}
            value={wanted.name ?? ''}
            onChange={(event) => {
              change({ name: event.currentTarget.value || null })
            }}
          />
          <NumberInput
            label="Context length, tokens"
            placeholder="the model’s own"
            min={1}
            allowDecimal={false}
            thousandSeparator=","
            hideControls
            value={wanted.max_model_len ?? ''}
            onChange={(typed) => {
              change({ max_model_len: typed === '' ? null : Number(typed) })
            }}
          />
          <Select
            label="Number format"
            data={[...DTYPES]}
            allowDeselect={false}
            value={wanted.dtype}
            onChange={(value) => {
              change({ dtype: DTYPES.find((one) => one === value) ?? 'auto' })
            }}
          />
          <Select
            label="Quantize while loading"
            placeholder="no"
            data={[...QUANTIZATIONS]}
            clearable
            clearButtonProps={{ 'aria-label': 'Do not quantize' }}
            value={wanted.quantization ?? null}
            onChange={(value) => {
              change({
                quantization: QUANTIZATIONS.find((one) => one.value === value)?.value ?? null,
              })
            }}
          />
          <NumberInput
            label="GPUs of one engine"
            min={1}
            allowDecimal={false}
            value={wanted.tensor_parallel}
            onChange={(typed) => {
              change({ tensor_parallel: typed === '' ? 1 : Number(typed) })
            }}
          />
        </SimpleGrid>
        {error && <Problem title="It cannot be added" message={reasonOf(error)} />}
        {checked && (
          <div role="status">
            <Stack gap="xs">
              <p className={classes.verdict}>
                <FitTag fit={checked.fit} /> <strong>{checked.name}</strong> {checked.fit.reason}
              </p>
              <Footprint model={checked} />
            </Stack>
          </div>
        )}
        <Group justify="flex-end" gap="xs">
          <Button
            type="submit"
            variant={checked ? 'default' : 'filled'}
            loading={check.isPending}
            disabled={wanted.source === ''}
          >
            Check
          </Button>
          <Button
            leftSection={<Icon name="check" />}
            disabled={!checked}
            loading={add.isPending}
            onClick={keep}
          >
            Add model
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
