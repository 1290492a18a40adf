import { ActionIcon, Button, Drawer, Kbd, Skeleton, Tooltip } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useState } from 'react'
import { reasonOf } from '../../api/client'
import { useGolden } from '../../api/golden'
import type { MarkKind } from '../../api/marks'
import { useResult } from '../../api/results'
import type { ScoreColumn } from '../../api/scores'
import { Icon } from '../../ui/Icon'
import { notifyRefused } from '../../ui/notify'
import { Problem } from '../../ui/Problem'
import { count } from '../../ui/format'
import { Detail } from './Detail'
import { MarkPanel } from './MarkPanel'
import classes from './Results.module.css'

interface ResultDrawerProps {
  benchmarkId: string
  rowId: number
  position: number | undefined
  total: number | undefined
  scores: ScoreColumn[]
  onStep: (by: number) => void
  onClose: () => void
}

interface Chosen {
  rowId: number
  kind: MarkKind | null
}

/** One result in full beside the table. */
export default function ResultDrawer(props: ResultDrawerProps) {
  const { benchmarkId, rowId, position, total, scores, onStep, onClose } = props
  const { data, error } = useResult(benchmarkId, rowId)
  const mark = useGolden()
  const golden = data?.result.golden ?? false
  // What the panel is at, until it is saved; of another result it is another's.
  const [chosen, setChosen] = useState<Chosen | null>(null)
  const kind = chosen?.rowId === rowId ? chosen.kind : (data?.result.mark?.kind ?? null)

  function choose(next: MarkKind | null) {
    setChosen({ rowId, kind: next })
  }

  function toggleGolden() {
    if (!data) return
    setChosen(null)
    mark.mutate(
      { benchmarkId, rowId, golden: !golden },
      {
        onError: (reason) => {
          void notifyRefused('The mark was not kept', reason)
        },
      },
    )
  }

  const next = () => {
    onStep(1)
  }
  const previous = () => {
    onStep(-1)
  }
  useHotkeys([
    ['j', next],
    ['ArrowRight', next],
    ['k', previous],
    ['ArrowLeft', previous],
    ['g', toggleGolden],
    [
      'f',
      () => {
        choose('fix')
      },
    ],
    [
      'w',
      () => {
        choose('wrong')
      },
    ],
  ])

  return (
    <Drawer.Root opened onClose={onClose} position="right" size={680}>
      <Drawer.Overlay backgroundOpacity={0.2} />
      <Drawer.Content>
        <Drawer.Body className={classes.drawer ?? ''}>
          <div className={classes.drawerHead}>
            <Drawer.Title className={classes.drawerTitle ?? ''}>
              {data?.result.custom_id ?? `Row ${String(rowId)}`}
            </Drawer.Title>
            <Drawer.CloseButton aria-label="Close" />
          </div>
          <div className={classes.drawerBar}>
            <Tooltip label="Previous (k or ←)">
              <ActionIcon
                variant="default"
                aria-label="Previous result"
                onClick={previous}
                disabled={position === undefined || position <= 0}
              >
                <Icon name="left" />
              </ActionIcon>
            </Tooltip>
            <Tooltip label="Next (j or →)">
              <ActionIcon
                variant="default"
                aria-label="Next result"
                data-autofocus
                onClick={next}
                disabled={position === undefined || position + 1 >= (total ?? 0)}
              >
                <Icon name="right" />
              </ActionIcon>
            </Tooltip>
            {position !== undefined && total !== undefined && (
              <span className={classes.place}>
                {count(position + 1)} of {count(total)}
              </span>
            )}
            <Button
              variant="default"
              size="xs"
              ml="auto"
              aria-pressed={golden}
              disabled={!data}
              leftSection={
                <span className={golden ? classes.gold : classes.noGold}>
                  <Icon name="star" size={14} filled={golden} />
                </span>
              }
              rightSection={<Kbd size="xs">g</Kbd>}
              onClick={toggleGolden}
            >
              Golden
            </Button>
          </div>
          {error && !data && (
            <Problem title="This result could not be read" message={reasonOf(error)} />
          )}
          {!data && !error && <Skeleton height={300} />}
          {data && (
            <Detail detail={data} scores={scores}>
              <MarkPanel
                key={`${String(rowId)} ${data.result.mark?.updated_at ?? ''}`}
                benchmarkId={benchmarkId}
                result={data.result}
                kind={kind}
                onKind={choose}
              />
            </Detail>
          )}
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  )
}
