import { Progress, Skeleton } from '@mantine/core'
import { percent, plural } from '../../ui/format'
import { PageHead } from '../../ui/PageHead'
import classes from './Compare.module.css'

interface PreparingProps {
  columns: number
  /** How much of a large comparison is done, 0 to 1. */
  share: number | undefined
}

/** What stands here until answers have been compared for the first time. */
export function Preparing({ columns, share }: PreparingProps): React.JSX.Element {
  return (
    <>
      <PageHead title={`Comparison of ${plural(columns, 'benchmark')}`}>
        <p role="status" className={classes.keys}>
          Comparing every answer…
          {share !== undefined && ` ${percent(share)} done. This is kept for the next time.`}
        </p>
        {share !== undefined && <Progress value={100 * share} aria-label="Answers compared" />}
      </PageHead>
      <Skeleton height={320} />
    </>
  )
}
