import { Skeleton } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { reasonOf } from '../../api/client'
import { useVerdicts, type Verdicts } from '../../api/verdicts'
import { count, percent } from '../../ui/format'
import { Problem } from '../../ui/Problem'
import { Section } from '../../ui/Section'
import { GraderVerdictCard } from './GraderVerdictCard'
import { PairJudge } from './PairJudge'
import classes from './Verdict.module.css'

const shares = (value: number | null) => (value === null ? '–' : percent(value))

/** How far answers agree, and how far a model agrees with itself. */
function AgreementLines({ verdicts }: { verdicts: Verdicts }) {
  const name = new Map(verdicts.benchmark_ids.map((id, at) => [id, verdicts.names[at] ?? id]))
  const lines = [
    ...verdicts.agreements.map((pair) => ({
      key: `${pair.first_id} ${pair.second_id}`,
      who: `${name.get(pair.first_id) ?? ''} and ${name.get(pair.second_id) ?? ''}`,
      pair,
    })),
    ...verdicts.noise.map((noise) => ({
      key: `${noise.benchmark_id} again`,
      who: `${name.get(noise.benchmark_id) ?? ''} and itself, run again (noise floor)`,
      pair: noise.agreement,
    })),
  ]
  return (
    <details className={classes.agreement} open={verdicts.graders.length === 0}>
      <summary>How far answers agree</summary>
      <div className={classes.scroll}>
        <table>
          <thead>
            <tr>
              <th>Answers of</th>
              <th className="number">Rows</th>
              <th className="number">Same text</th>
              <th className="number">But for form</th>
              <th className="number">Mean alike</th>
            </tr>
          </thead>
          <tbody>
            {lines.map(({ key, who, pair }) => (
              <tr key={key}>
                <th scope="row">{who}</th>
                <td className="number">{count(pair.rows)}</td>
                <td className="number">{shares(pair.exact)}</td>
                <td className="number">{shares(pair.normalized)}</td>
                <td className="number">{shares(pair.similarity)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {verdicts.noise.length === 0 && (
        <p className={classes.hint}>
          Run a model again over the same dataset, and how far it differs from itself is shown here:
          the noise that a difference between models has to exceed.
        </p>
      )}
    </details>
  )
}

/** Which model is better, said plainly, on top of the comparison. */
export function VerdictSection({ ids }: { ids: string[] }) {
  const { data, error } = useVerdicts(ids)
  const [first] = ids
  return (
    <div className={classes.section}>
      <Section title="Verdict">
        {error && !data && (
          <Problem title="The verdict could not be read" message={reasonOf(error)} />
        )}
        {!data && !error && <Skeleton height={64} />}
        {data && (
          <>
            {data.graders.map((one) => (
              <GraderVerdictCard
                key={`${one.name} ${one.columns.map((column) => column?.key ?? '').join()}`}
                verdict={one}
                names={data.names}
              />
            ))}
            {data.graders.length === 0 && first !== undefined && (
              <p className={classes.hint}>
                Nothing scores these answers yet.{' '}
                <Link
                  to="/results/$benchmarkId"
                  params={{ benchmarkId: first }}
                  search={{ graders: true }}
                >
                  Add a grader
                </Link>{' '}
                to learn which model is better, and whether that is more than chance.
              </p>
            )}
            <PairJudge ids={ids} names={data.names} />
            <AgreementLines verdicts={data} />
          </>
        )}
      </Section>
    </div>
  )
}
