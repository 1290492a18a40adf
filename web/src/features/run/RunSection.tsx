import { Button, Collapse, Select, Stack } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { getRouteApi } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { reasonOf } from '../../api/client'
import { useDatasets } from '../../api/datasets'
import { useModels } from '../../api/models'
import { useRunBenchmarks, type Sampling } from '../../api/run-benchmark'
import { count, plural } from '../../ui/format'
import { Icon } from '../../ui/Icon'
import { notifyDone } from '../../ui/notify'
import { listed, unlisted } from '../../ui/search'
import { Section } from '../../ui/Section'
import { ModelSelect } from './ModelSelect'
import { Refusals } from './Refusals'
import classes from './RunSection.module.css'

const ModelsModal = lazy(() => import('./ModelsModal'))
const SamplingFields = lazy(() => import('./SamplingFields'))
const route = getRouteApi('/runner')

/** Any models on any dataset, started by one click. */
export function RunSection() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const datasets = useDatasets().data?.datasets ?? []
  const models = useModels()
  const run = useRunBenchmarks()
  const [sampling, setSampling] = useState<Sampling>({})
  const [expanded, { toggle }] = useDisclosure(false)
  const [showsModels, modal] = useDisclosure(false)

  const dataset = datasets.find((one) => one.id === search.dataset)
  const known = models.data?.models ?? []
  const chosen = listed(search.models)
    .map((id) => known.find((one) => one.model_id === id))
    .filter((one) => one !== undefined)
  const misfits = chosen.filter((one) => !one.fit.fits)
  const overrides = Object.values(sampling).filter((one) => one != null).length

  function choose(change: { dataset?: string | undefined; models?: string | undefined }) {
    void navigate({
      search: (before) => ({ ...before, ...change }),
      replace: true,
      resetScroll: false,
    })
  }

  function start() {
    if (!dataset || chosen.length === 0) return
    const modelIds = chosen.map((one) => one.model_id)
    run.mutate(
      { datasetId: dataset.id, modelIds, sampling },
      {
        onSuccess: ({ started, refused }) => {
          choose({ models: unlisted(refused.map((one) => one.modelId)) })
          if (started.length > 0) void notifyDone(`Started ${plural(started.length, 'benchmark')}.`)
        },
      },
    )
  }

  return (
    <Section
      title="Run"
      actions={
        <Button variant="default" size="xs" onClick={modal.open}>
          Models…
        </Button>
      }
    >
      {showsModels && (
        <Suspense>
          <ModelsModal models={known} onClose={modal.close} />
        </Suspense>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          start()
        }}
      >
        <Stack gap="md">
          <Select
            label="Dataset"
            allowDeselect={false}
            placeholder={datasets.length === 0 ? 'Upload a dataset first' : 'Choose a dataset'}
            disabled={datasets.length === 0}
            searchable
            data={datasets.map((one) => ({
              value: one.id,
              label: `${one.name} (${count(one.count)})`,
            }))}
            value={dataset?.id ?? null}
            onChange={(id) => {
              choose({ dataset: id ?? undefined })
            }}
            comboboxProps={{ shadow: 'md' }}
          />
          <ModelSelect
            models={known}
            value={chosen.map((one) => one.model_id)}
            onChange={(ids) => {
              choose({ models: unlisted(ids) })
            }}
            loading={models.isPending}
            error={models.error && !models.data ? reasonOf(models.error) : null}
          />
          {misfits.map((one) => (
            <p key={one.model_id} className={classes.misfit}>
              <Icon name="warning" size={14} />
              <span>
                <strong>{one.name}</strong> cannot be run on this cluster: it {one.fit.reason}
              </span>
            </p>
          ))}
          <div>
            <button
              type="button"
              className={classes.toggle}
              aria-expanded={expanded}
              onClick={toggle}
            >
              <Icon name={expanded ? 'down' : 'right'} size={14} />
              Sampling overrides
              {overrides > 0 && <span className={classes.set}>{overrides} set</span>}
            </button>
            <Collapse expanded={expanded}>
              <div className={classes.sampling}>
                {expanded && (
                  <Suspense>
                    <SamplingFields value={sampling} onChange={setSampling} />
                  </Suspense>
                )}
              </div>
            </Collapse>
          </div>
          {run.data && run.data.refused.length > 0 && (
            <Refusals
              refused={run.data.refused}
              nameOf={(id) => known.find((one) => one.model_id === id)?.name ?? id}
            />
          )}
          <Button
            type="submit"
            size="md"
            leftSection={<Icon name="play" />}
            loading={run.isPending}
            disabled={!dataset || chosen.length === 0}
          >
            {chosen.length > 1 ? `Run ${String(chosen.length)} benchmarks` : 'Run benchmark'}
          </Button>
        </Stack>
      </form>
    </Section>
  )
}
