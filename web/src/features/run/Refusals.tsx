import type { Outcome } from '../../api/run-benchmark'
import { Problem } from '../../ui/Problem'

interface RefusalsProps {
  refused: Outcome['refused']
  nameOf: (modelId: string) => string
}

/** The models that did not start, each with the server's reason. */
export function Refusals({ refused, nameOf }: RefusalsProps) {
  return (
    <Problem title={refused.length === 1 ? 'One benchmark did not start' : 'Some did not start'}>
      <ul style={{ margin: '4px 0 0', paddingLeft: 18 }}>
        {refused.map(({ modelId, reason }) => (
          <li key={modelId}>
            <strong>{nameOf(modelId)}</strong>: {reason}
          </li>
        ))}
      </ul>
    </Problem>
  )
}
