import { TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useState } from 'react'
import { Icon } from './Icon'
import classes from './SearchField.module.css'

interface SearchFieldProps {
  label: string
  value: string | undefined
  onChange: (text: string | undefined) => void
}

/** A text filter that is applied when typing pauses. */
export function SearchField({ label, value, onChange }: SearchFieldProps) {
  const [typed, setTyped] = useState(value ?? '')
  const [applied, setApplied] = useState(value)
  // The URL changed by other means than this field: follow it.
  if (value !== applied) {
    setApplied(value)
    if ((value ?? '') !== typed.trim()) setTyped(value ?? '')
  }
  const apply = useDebouncedCallback((text: string) => {
    onChange(text.trim() || undefined)
  }, 300)
  return (
    <TextInput
      type="search"
      className={classes.field ?? ''}
      aria-label={label}
      placeholder={label}
      leftSection={<Icon name="search" size={14} />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value)
        apply(event.currentTarget.value)
      }}
    />
  )
}
