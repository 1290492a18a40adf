import { Button, Menu } from '@mantine/core'
import { goldenFile, resultsFile } from '../../api/files'
import type { ResultQuery } from '../../api/results'
import { count } from '../../ui/format'
import { Icon } from '../../ui/Icon'

interface ExportMenuProps {
  benchmarkId: string
  query: ResultQuery
  filtered: boolean
  total: number | undefined
}

const FORMATS = ['csv', 'jsonl', 'parquet'] as const
const WORDS = { csv: 'CSV', jsonl: 'JSONL', parquet: 'Parquet' }

/** The results as the table shows them, filtered and in its order, and golden examples, as files. */
export function ExportMenu({ benchmarkId, query, filtered, total }: ExportMenuProps) {
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="download" />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {filtered ? `${count(total)} filtered results` : `All ${count(total)} results`}
        </Menu.Label>
        {FORMATS.map((format) => (
          <Menu.Item
            key={format}
            component="a"
            href={resultsFile(benchmarkId, format, query)}
            download
          >
            {WORDS[format]}
          </Menu.Item>
        ))}
        <Menu.Label>Golden examples, to train on</Menu.Label>
        <Menu.Item component="a" href={goldenFile('messages', [benchmarkId])} download>
          Chat messages (JSONL)
        </Menu.Item>
        <Menu.Item component="a" href={goldenFile('parquet', [benchmarkId])} download>
          Chat messages (Parquet)
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
