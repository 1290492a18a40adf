import { MultiSelect, type ComboboxItem, type MultiSelectProps } from '@mantine/core'
import type { Model } from '../../api/models'
import { binary, gibibytes } from '../../ui/format'
import { Icon } from '../../ui/Icon'
import { FitTag } from './FitTag'
import classes from './ModelSelect.module.css'

interface ModelSelectProps {
  models: Model[]
  value: string[]
  onChange: (ids: string[]) => void
  error: string | null
  loading: boolean
}

/** Its weights as they are predicted, or else what its entry plans for. */
function memory({ fit: { footprint }, memory_gib }: Model): string {
  if (!footprint) return `${gibibytes(memory_gib)} memory`
  return `${binary(footprint.weights_bytes * Math.max(footprint.gpus, 1))} of weights`
}

function Option({ model, checked }: { model: Model; checked: boolean }) {
  return (
    <div className={classes.option}>
      <span className={classes.tick}>{checked && <Icon name="check" size={14} />}</span>
      <div className={classes.what}>
        <div className={classes.name}>
          {model.name} <span className={classes.id}>{model.model_id}</span>
        </div>
        <div className={classes.figures}>
          {model.endpoint
            ? `Asked at ${new URL(model.endpoint.base_url).host}`
            : `${model.size} parameters · ${memory(model)} · ${
                model.prepared ? 'weights here' : 'downloads first'
              }`}
        </div>
        {!model.fit.fits && <div className={classes.reason}>{model.fit.reason}</div>}
      </div>
      <FitTag fit={model.fit} />
    </div>
  )
}

/** Searches what a person may know of a model: its name, its id, its description. */
function search(models: Map<string, Model>): MultiSelectProps['filter'] {
  return ({ options, search: typed }) => {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
    return options.filter((option) => {
      const model = 'value' in option ? models.get(option.value) : undefined
      if (!model) return false
      const text = `${model.name} ${model.model_id} ${model.size} ${model.description}`
      return words.every((word) => text.toLowerCase().includes(word))
    })
  }
}

/** Several models, each with its size, its memory and whether this hardware holds it. */
export function ModelSelect({ models, value, onChange, error, loading }: ModelSelectProps) {
  const byId = new Map(models.map((model) => [model.model_id, model]))
  // What fits comes first; within that, the registry's order.
  const sorted = models.toSorted((a, b) => Number(b.fit.fits) - Number(a.fit.fits))
  const items: ComboboxItem[] = sorted.map((model) => ({
    value: model.model_id,
    label: model.name,
  }))
  return (
    <MultiSelect
      label="Models"
      description="One benchmark is started for each"
      placeholder={value.length === 0 ? (loading ? 'Loading…' : 'Search models') : ''}
      data={items}
      value={value.filter((id) => byId.has(id))}
      onChange={onChange}
      error={error}
      searchable
      clearable
      filter={search(byId)}
      nothingFoundMessage="No model has all these words"
      comboboxProps={{ shadow: 'md' }}
      clearButtonProps={{ 'aria-label': 'Clear models' }}
      renderOption={({ option, checked }) => {
        const model = byId.get(option.value)
        return model ? <Option model={model} checked={checked ?? false} /> : option.value
      }}
    />
  )
}
