import { Table } from '@mantine/core'
import { Refused } from '../../api/client'
import { count } from '../../ui/format'
import classes from './Upload.module.css'

/** An entry of `details.errors`, which the API's schema leaves open. */
interface LineError {
  line: number
  message: string
  text?: string
}

function isLineError(value: unknown): value is LineError {
  return typeof value === 'object' && value !== null && 'line' in value && 'message' in value
}

export function lineErrors(error: unknown): { errors: LineError[]; total: number } | null {
  if (!(error instanceof Refused) || !Array.isArray(error.details['errors'])) return null
  const errors = error.details['errors'].filter(isLineError)
  if (errors.length === 0) return null
  const total = Number(error.details['total_errors'] ?? errors.length)
  return { errors, total }
}

/** What is wrong with which line of a refused file, with the text of the line. */
export function LineErrors({ errors, total }: { errors: LineError[]; total: number }) {
  return (
    <div className={classes.report}>
      <div className={classes.lines} role="region" aria-label="Errors by line" tabIndex={0}>
        <Table verticalSpacing={6} fz="xs" stickyHeader>
          <Table.Thead>
            <Table.Tr>
              <Table.Th className="number">Line</Table.Th>
              <Table.Th>What is wrong</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {errors.map((error, at) => (
              <Table.Tr key={at}>
                <Table.Td className="number" valign="top">
                  {count(error.line)}
                </Table.Td>
                <Table.Td>
                  <div className="plain">{error.message}</div>
                  {error.text && <code className={classes.offending}>{error.text}</code>}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <p className={classes.hint}>
        {total > errors.length && `${count(total - errors.length)} more not shown. `}
        Nothing was stored; correct the file and upload it again.
      </p>
    </div>
  )
}
