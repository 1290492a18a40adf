import { TextInput } from '@mantine/core'
import { setAuthor, useAuthor, useIsFixed } from '../api/author'

interface AuthorFieldProps {
  label?: string
  description?: string
}

/** Who judges: a name that this browser keeps and sends along, or that of the key. */
export function AuthorField({ label = 'Your name', description }: AuthorFieldProps) {
  const name = useAuthor()
  const isFixed = useIsFixed()
  if (isFixed) return null
  return (
    <TextInput
      key={name}
      label={label}
      {...(description !== undefined && { description })}
      placeholder="Recorded with what you judge"
      autoComplete="name"
      maxLength={100}
      defaultValue={name}
      onBlur={(event) => {
        setAuthor(event.currentTarget.value)
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') setAuthor(event.currentTarget.value)
      }}
    />
  )
}
