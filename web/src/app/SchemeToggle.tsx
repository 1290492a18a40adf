import { ActionIcon, useMantineColorScheme } from '@mantine/core'
import { Icon } from '../ui/Icon'

const SCHEMES = [
  { value: 'auto', label: 'system', icon: 'screen' },
  { value: 'light', label: 'light', icon: 'sun' },
  { value: 'dark', label: 'dark', icon: 'moon' },
] as const

/** One button that goes round: as the system has it, light, dark. */
export function SchemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const at = Math.max(
    0,
    SCHEMES.findIndex((one) => one.value === colorScheme),
  )
  const current = SCHEMES[at] ?? SCHEMES[0]
  const next = SCHEMES[(at + 1) % SCHEMES.length] ?? SCHEMES[0]
  const words = `Colours: ${current.label}. Switch to ${next.label}`
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      c="dimmed"
      size="lg"
      aria-label={words}
      title={words}
      onClick={() => {
        setColorScheme(next.value)
      }}
    >
      <Icon name={current.icon} />
    </ActionIcon>
  )
}
