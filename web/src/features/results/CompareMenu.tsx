import { Button, Menu } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useSiblings, type Benchmark } from '../../api/benchmarks'
import { moment } from '../../ui/format'
import { Icon } from '../../ui/Icon'
import { StatusTag } from '../../ui/StatusTag'
import classes from './Results.module.css'

/** Other benchmarks of the same dataset, one click from standing beside this one. */
export function CompareMenu({ benchmark }: { benchmark: Benchmark }) {
  const { benchmark_id: id, dataset_id: datasetId } = benchmark
  const siblings = useSiblings(datasetId).data?.benchmarks.filter(
    (one) => one.benchmark_id !== id && one.status !== 'queued',
  )
  if (!siblings || siblings.length === 0) return null
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="columns" />}>
          Compare with
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={classes.siblings ?? ''}>
        {siblings.map((one) => (
          <Menu.Item
            key={one.benchmark_id}
            rightSection={<StatusTag status={one.status} />}
            renderRoot={(props) => (
              <Link to="/compare" search={{ ids: `${id},${one.benchmark_id}` }} {...props} />
            )}
          >
            {one.model_name}
            <div className={classes.when}>{moment(one.started_at)}</div>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
