import { Button, Table } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { isLive, type Benchmark } from '../../api/benchmarks'
import { reasonOf } from '../../api/client'
import { useAgreement, type Agreement } from '../../api/manifest'
import { count, plural } from '../../ui/format'
import { Problem } from '../../ui/Problem'
import { Section } from '../../ui/Section'
import classes from './Results.module.css'

/** How far a rerun says the same as the first run. */
export default function AgreementPanel({ benchmark }: { benchmark: Benchmark }) {
  const { benchmark_id: id, rerun_of: first, status } = benchmark
  const { data, error } = useAgreement(id, isLive(status))
  if (first === null) return null
  const compare = (
    <Button
      variant="default"
      size="xs"
      renderRoot={(props) => <Link to="/compare" search={{ ids: `${first},${id}` }} {...props} />}
    >
      Compare the two
    </Button>
  )
  return (
    <div className={classes.panel}>
      <Section title="Agreement with the first run" {...(!error && { actions: compare })}>
        {error && !data && (
          <Problem title="It cannot be compared with the first run" message={reasonOf(error)} />
        )}
        {data && <Said agreement={data} />}
      </Section>
    </div>
  )
}

const tenths = (share: number) => `${(100 * share).toFixed(1)} %`

function Said({ agreement }: { agreement: Agreement }) {
  const { compared, exact_share: exact, normalized_share: normal, changed } = agreement
  if (exact === null || normal === null)
    return <p className={classes.finished}>No request has been answered by both yet.</p>
  return (
    <>
      <p className={classes.agreement}>
        <strong>{tenths(exact)}</strong> of {plural(compared, 'answer')} are the same to the letter,{' '}
        {tenths(normal)} but for case and punctuation; {count(agreement.differing)} differ
        {agreement.one_failed > 0 && `, and ${count(agreement.one_failed)} failed in one run only`}.
      </p>
      {changed.length === 0 ? (
        <p className={classes.finished}>
          Model, weights, sampling, versions and hardware are the same as far as is known.
        </p>
      ) : (
        <Table verticalSpacing={4} fz="sm" aria-label="What was different">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>What was different</Table.Th>
              <Table.Th>First run</Table.Th>
              <Table.Th>This run</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {changed.map((one) => (
              <Table.Tr key={one.field}>
                <Table.Td>{one.field}</Table.Td>
                <Table.Td className="plain">{JSON.stringify(one.then)}</Table.Td>
                <Table.Td className="plain">{JSON.stringify(one.now)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </>
  )
}
