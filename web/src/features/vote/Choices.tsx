import { Button, Kbd } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import type { Choice } from '../../api/votes'
import { Icon } from '../../ui/Icon'
import classes from './Vote.module.css'

interface ChoicesProps {
  disabled: boolean
  undoable: boolean
  onVote: (choice: Choice) => void
  onUndo: () => void
}

// The arrows up and down scroll a long answer.
const CHOICES: { choice: Choice; label: string; keys: string[] }[] = [
  { choice: 'left', label: 'A is better', keys: ['1', 'ArrowLeft'] },
  { choice: 'right', label: 'B is better', keys: ['2', 'ArrowRight'] },
  { choice: 'tie', label: 'Equally good', keys: ['3'] },
  { choice: 'both_bad', label: 'Both bad', keys: ['4'] },
]
const SYMBOLS: Record<string, string> = { ArrowLeft: '←', ArrowRight: '→' }

/** What can be said about two answers, by mouse or key. */
export function Choices({ disabled, undoable, onVote, onUndo }: ChoicesProps) {
  useHotkeys([
    ...CHOICES.flatMap(({ choice, keys }) =>
      keys.map((key): [string, () => void] => [
        key,
        () => {
          if (!disabled) onVote(choice)
        },
      ]),
    ),
    ['u', onUndo],
    ['Backspace', onUndo],
  ])
  return (
    <div className={classes.choices} role="group" aria-label="Your vote">
      {CHOICES.map(({ choice, label, keys }) => (
        <Button
          key={choice}
          variant={choice === 'left' || choice === 'right' ? 'filled' : 'default'}
          size="md"
          disabled={disabled}
          rightSection={
            <span className={classes.kbds} aria-hidden>
              {keys.map((key) => (
                <Kbd key={key} size="xs">
                  {SYMBOLS[key] ?? key}
                </Kbd>
              ))}
            </span>
          }
          onClick={() => {
            onVote(choice)
          }}
        >
          {label}
        </Button>
      ))}
      <Button
        variant="subtle"
        color="gray"
        size="md"
        disabled={!undoable}
        leftSection={<Icon name="retry" />}
        rightSection={
          <span aria-hidden>
            <Kbd size="xs">u</Kbd>
          </span>
        }
        onClick={onUndo}
      >
        Undo
      </Button>
    </div>
  )
}
