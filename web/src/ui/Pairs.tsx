import { Table, Title } from '@mantine/core'
import classes from './Pairs.module.css'

interface PairsProps {
  title: string
  pairs: [string, unknown][]
}

/** Names and values below one another; nothing without any. */
export function Pairs({ title, pairs }: PairsProps) {
  if (pairs.length === 0) return null
  return (
    <div>
      <Title order={3} mb={4}>
        {title}
      </Title>
      <Table verticalSpacing={4} fz="sm" layout="fixed">
        <Table.Tbody>
          {pairs.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th className={classes.name}>{name}</Table.Th>
              <Table.Td className="plain">
                {typeof value === 'string' ? value : JSON.stringify(value)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
