import { Button, Menu } from '@mantine/core'
import type { ComparisonQuery } from '../../api/comparison'
import { comparisonFile, goldenFile } from '../../api/files'
import { count } from '../../ui/format'
import { Icon } from '../../ui/Icon'

interface ExportMenuProps {
  query: Omit<ComparisonQuery, 'limit' | 'offset'>
  total: number
}

/** The comparison as it is filtered and ordered, and what can be trained on, as files. */
export function ExportMenu({ query, total }: ExportMenuProps) {
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="download" />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {query.q === undefined
            ? `All ${count(total)} requests`
            : `${count(total)} filtered requests`}
        </Menu.Label>
        <Menu.Item component="a" href={comparisonFile('html', query)} download>
          Report (HTML)
        </Menu.Item>
        <Menu.Item component="a" href={comparisonFile('csv', query)} download>
          CSV
        </Menu.Item>
        <Menu.Item component="a" href={comparisonFile('jsonl', query)} download>
          JSONL
        </Menu.Item>
        <Menu.Label>Golden examples, to train on</Menu.Label>
        <Menu.Item component="a" href={goldenFile('messages', query.benchmark_id)} download>
          Chat messages (JSONL)
        </Menu.Item>
        <Menu.Item component="a" href={goldenFile('preferences', query.benchmark_id)} download>
          Preference pairs (JSONL)
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
