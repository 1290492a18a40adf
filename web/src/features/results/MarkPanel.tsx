import { Button, Group, SegmentedControl, Textarea, Title } from '@mantine/core'
import { useState } from 'react'
import type { Schemas } from '../../api/client'
import { MARKS, useMark, useUnmark, type MarkKind } from '../../api/marks'
import { AuthorField } from '../../ui/AuthorField'
import { moment } from '../../ui/format'
import { MARK_WORDS } from '../../ui/MarkIcon'
import { notifyRefused } from '../../ui/notify'
import classes from './Results.module.css'

interface MarkPanelProps {
  benchmarkId: string
  result: Schemas['Result']
  kind: MarkKind | null
  onKind: (kind: MarkKind | null) => void
}

const HINTS: Record<MarkKind, string> = {
  golden: 'Worth training on, as it is or as edited here.',
  fix: 'Not right as it is. Say how it should be.',
  wrong: 'Not to be used.',
}

const asKind = (value: string): MarkKind | null => MARKS.find((one) => one === value) ?? null

/** What a person found about a result, with the response as it should be and a note. */
export function MarkPanel({ benchmarkId, result, kind, onKind }: MarkPanelProps) {
  const { mark, text } = result
  const [response, setResponse] = useState(mark?.response ?? text ?? '')
  const [note, setNote] = useState(mark?.note ?? '')
  const marking = useMark()
  const unmarking = useUnmark()
  const place = { benchmarkId, rowId: result.row_id }
  const edited = response !== (text ?? '')
  const unchanged =
    kind === (mark?.kind ?? null) &&
    (edited ? response : null) === (mark?.response ?? null) &&
    note === (mark?.note ?? '')

  function refused(reason: Error) {
    void notifyRefused('The mark was not kept', reason)
  }

  function save() {
    if (kind === null) {
      unmarking.mutate(place, { onError: refused })
      return
    }
    const said = { kind, response: edited ? response : null, note: note || null }
    marking.mutate({ place, marking: said }, { onError: refused })
  }

  return (
    <section aria-label="Mark" className={classes.markPanel}>
      <Group justify="space-between" gap="xs">
        <Title order={3}>Mark</Title>
        {mark && (
          <span className={classes.finished}>
            {MARK_WORDS[mark.kind]} by {mark.author ?? 'somebody'}, {moment(mark.updated_at)}
          </span>
        )}
      </Group>
      <SegmentedControl
        aria-label="Mark as"
        size="sm"
        data={[
          { value: 'none', label: 'None' },
          ...MARKS.map((one) => ({ value: one, label: MARK_WORDS[one] })),
        ]}
        value={kind ?? 'none'}
        onChange={(value) => {
          onKind(asKind(value))
        }}
      />
      {kind !== null && (
        <>
          <p className={classes.finished}>{HINTS[kind]}</p>
          <Textarea
            label="Response as it should be"
            autosize
            minRows={2}
            maxRows={14}
            value={response}
            onChange={(event) => {
              setResponse(event.currentTarget.value)
            }}
          />
          <Textarea
            label="Note"
            autosize
            minRows={1}
            maxRows={6}
            value={note}
            onChange={(event) => {
              setNote(event.currentTarget.value)
            }}
          />
          <AuthorField />
        </>
      )}
      {(kind !== null || mark !== null) && (
        <Group justify="flex-end">
          <Button
            size="xs"
            disabled={unchanged || (kind === 'fix' && (!edited || response === ''))}
            loading={marking.isPending || unmarking.isPending}
            onClick={save}
          >
            {kind === null ? 'Take the mark away' : 'Save the mark'}
          </Button>
        </Group>
      )}
    </section>
  )
}
