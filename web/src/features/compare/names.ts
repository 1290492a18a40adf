import type { ComparedBenchmark } from '../../api/comparison'
import { moment } from '../../ui/format'

type Compared = ComparedBenchmark['benchmark']

const overridesOf = ({ sampling }: Compared) =>
  Object.entries(sampling)
    .filter(([, value]) => value != null)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(', ')

/** What to call each column: its model, and where models repeat, what tells them apart. */
export function namesOf(compared: ComparedBenchmark[]): string[] {
  const all = compared.map((one) => one.benchmark)
  return all.map((one) => {
    const namesakes = all.filter((other) => other.model_name === one.model_name)
    if (namesakes.length === 1) return one.model_name
    const distinct = new Set(namesakes.map(overridesOf)).size === namesakes.length
    const apart = distinct ? overridesOf(one) || 'as requested' : moment(one.started_at)
    const taken = namesakes.filter((other) => other.started_at === one.started_at).length > 1
    return `${one.model_name} (${!distinct && taken ? one.benchmark_id : apart})`
  })
}
