import { Button, Modal, Stack, Tabs } from '@mantine/core'
import { useState } from 'react'
import { reasonOf } from '../../api/client'
import type { Model } from '../../api/models'
import { useRemoveModel } from '../../api/remove-model'
import { Icon } from '../../ui/Icon'
import { Problem } from '../../ui/Problem'
import { AddModel } from './AddModel'
import { FitTag } from './FitTag'
import { Footprint } from './Footprint'
import classes from './Models.module.css'

interface ModelsModalProps {
  models: Model[]
  onClose: () => void
}

/** The models of the registry with the memory that they take, and a way to add more. */
export default function ModelsModal({ models, onClose }: ModelsModalProps) {
  const [tab, setTab] = useState<string | null>('all')
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={<strong>Models</strong>}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="all">All models</Tabs.Tab>
          <Tabs.Tab value="add">Add a model</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="all">
          <ul className={classes.list}>
            {models.map((model) => (
              <Entry key={model.model_id} model={model} />
            ))}
          </ul>
        </Tabs.Panel>
        <Tabs.Panel value="add">
          <AddModel
            onAdded={() => {
              setTab('all')
            }}
          />
        </Tabs.Panel>
      </Tabs>
    </Modal>
  )
}

function Entry({ model }: { model: Model }) {
  const removal = useRemoveModel()
  return (
    <li className={classes.entry}>
      <details>
        <summary className={classes.summary}>
          <span className={classes.arrow}>
            <Icon name="right" size={14} />
          </span>
          <span className={classes.name}>
            {model.name} <span className={classes.id}>{model.model_id}</span>
          </span>
          <FitTag fit={model.fit} />
        </summary>
        <Stack gap="sm" className={classes.details}>
          <p className={classes.verdict}>{model.fit.reason}</p>
          <Footprint model={model} />
          {removal.error && (
            <Problem title="It was not removed" message={reasonOf(removal.error)} />
          )}
          {model.added && (
            <Button
              variant="default"
              size="xs"
              className={classes.remove ?? ''}
              loading={removal.isPending}
              onClick={() => {
                removal.mutate(model.model_id)
              }}
            >
              Remove {model.name}
            </Button>
          )}
        </Stack>
      </details>
    </li>
  )
}
