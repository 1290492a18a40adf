import { Button, Skeleton } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { reasonOf } from '../../api/client'
import type { ComparedBenchmark } from '../../api/comparison'
import { useStandings, type Standings } from '../../api/votes'
import { plural } from '../../ui/format'
import { Icon } from '../../ui/Icon'
import { Problem } from '../../ui/Problem'
import { Section } from '../../ui/Section'
import classes from './Preferences.module.css'
import { namesOf } from './names'
import { WinRates } from './WinRates'

/** What people's blind votes say about the benchmarks. */
export function Preferences({ benchmarks }: { benchmarks: ComparedBenchmark[] }) {
  const ids = benchmarks.map(({ benchmark }) => benchmark.benchmark_id)
  const { data, error } = useStandings(ids)
  const vote = (
    <Button
      size="xs"
      leftSection={<Icon name="thumb" />}
      renderRoot={(props) => (
        <Link to="/vote" search={{ benchmark_id: ids.join(',') }} {...props} />
      )}
    >
      Vote blind
    </Button>
  )
  return (
    <Section title="What people prefer" actions={vote}>
      {error && !data && <Problem title="The votes could not be read" message={reasonOf(error)} />}
      {!data && !error && <Skeleton height={60} />}
      {data && <p className={classes.verdict}>{data.verdict}</p>}
      {data && data.votes > 0 && (
        <>
          <WinRates standings={data} names={namesOf(benchmarks)} />
          <Voters standings={data} />
        </>
      )}
      {data?.votes === 0 && (
        <p className={classes.hint}>
          People see two answers without names and say which is better. What they say appears here,
          as the share of votes that each model wins, with its uncertainty.
        </p>
      )}
    </Section>
  )
}

function Voters({ standings }: { standings: Standings }) {
  const { voters } = standings
  const bad = standings.pairs.reduce((sum, pair) => sum + pair.both_bad, 0)
  const names = voters.map((one) => `${one.author} (${String(one.votes)})`).join(', ')
  return (
    <p className={classes.hint}>
      {plural(standings.votes, 'vote')} by {names}
      {bad > 0 && `; in ${String(bad)} both answers were called bad`}. Ties count half; intervals
      are of 95 %.
    </p>
  )
}
