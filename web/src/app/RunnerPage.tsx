import { Title, VisuallyHidden } from '@mantine/core'
import { useDocumentTitle } from '@mantine/hooks'
import { ActiveSection } from '../features/benchmarks/ActiveSection'
import { CompletedSection } from '../features/benchmarks/CompletedSection'
import { DatasetsSection } from '../features/datasets/DatasetsSection'
import { RunSection } from '../features/run/RunSection'
import classes from './RunnerPage.module.css'

/** The whole way of a benchmark on one page: upload, choose, run, watch, and on to the results. */
export function RunnerPage(): React.JSX.Element {
  useDocumentTitle('Benchmark Runner')
  return (
    <>
      <VisuallyHidden>
        <Title order={1}>Benchmark Runner</Title>
      </VisuallyHidden>
      <div className={classes.sections}>
        <DatasetsSection />
        <RunSection />
        <div className={classes.wide}>
          <ActiveSection />
        </div>
        <div className={classes.wide}>
          <CompletedSection />
        </div>
      </div>
    </>
  )
}
