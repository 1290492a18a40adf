import { ActionIcon, Group, Menu, Table } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { datasetFile, type Dataset } from '../../api/datasets'
import { bytes, count, moment } from '../../ui/format'
import { Icon } from '../../ui/Icon'
import classes from './DatasetTable.module.css'

interface DatasetTableProps {
  datasets: Dataset[]
  onDelete: (dataset: Dataset) => void
}

/** The stored datasets, newest first. */
export default function DatasetTable({ datasets, onDelete }: DatasetTableProps) {
  return (
    <div className={classes.scroll} role="region" aria-label="Dataset list" tabIndex={0}>
      <Table verticalSpacing={8} highlightOnHover stickyHeader className={classes.table}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th className="number">Requests</Table.Th>
            <Table.Th className={`number ${classes.wide ?? ''}`}>Size</Table.Th>
            <Table.Th className={classes.wide}>Uploaded</Table.Th>
            <Table.Th>
              <span className={classes.hidden}>Actions</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {datasets.map((dataset) => (
            <Table.Tr key={dataset.id}>
              <Table.Td className={classes.name}>
                <Link to="/datasets/$id" params={{ id: dataset.id }}>
                  {dataset.name}
                </Link>
              </Table.Td>
              <Table.Td className="number">{count(dataset.count)}</Table.Td>
              <Table.Td className={`number ${classes.wide ?? ''}`}>
                {bytes(dataset.size_bytes)}
              </Table.Td>
              <Table.Td className={classes.wide}>
                <time dateTime={dataset.uploaded_at}>{moment(dataset.uploaded_at)}</time>
              </Table.Td>
              <Table.Td>
                <Group gap={2} justify="flex-end" wrap="nowrap">
                  <Actions dataset={dataset} onDelete={onDelete} />
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function Actions({ dataset, onDelete }: { dataset: Dataset; onDelete: (one: Dataset) => void }) {
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          c="dimmed"
          aria-label={`Actions for ${dataset.name}`}
        >
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<Icon name="eye" />}
          renderRoot={(props) => <Link to="/datasets/$id" params={{ id: dataset.id }} {...props} />}
        >
          Preview
        </Menu.Item>
        <Menu.Item
          leftSection={<Icon name="download" />}
          component="a"
          href={datasetFile(dataset.id)}
          download={dataset.name}
        >
          Download
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          leftSection={<Icon name="trash" />}
          c="var(--bad)"
          onClick={() => {
            onDelete(dataset)
          }}
        >
          Delete…
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
