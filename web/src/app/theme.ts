import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

const indigo: MantineColorsTuple = [
  '#eef0ff',
  '#dfe1fe',
  '#c4c8fc',
  '#a3a8f9',
  '#8488f4',
  '#6b6bee',
  '#5b55e3',
  '#4f46d8',
  '#4239b4',
  '#37318f',
]
const zinc: MantineColorsTuple = [
  '#fafafa',
  '#f4f4f5',
  '#e4e4e7',
  '#d4d4d8',
  '#a1a1aa',
  '#6b6b74',
  '#52525b',
  '#3f3f46',
  '#27272a',
  '#18181b',
]
const ink: MantineColorsTuple = [
  '#ededf0',
  '#c9c9cf',
  '#a3a3ad',
  '#8f8f99',
  '#3a3a41',
  '#2c2c32',
  '#202025',
  '#121215',
  '#0c0c0e',
  '#08080a',
]

// The list of options scrolls itself: axe finds no focus in Mantine's own scroll area.
const SCROLL = {
  defaultProps: {
    withScrollArea: false,
    styles: { options: { maxHeight: 360, overflowY: 'auto' } },
  },
}

export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 7 },
  colors: { indigo, gray: zinc, dark: ink },
  black: '#18181b',
  fontFamily: 'Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "JetBrains Mono", Menlo, Consolas, monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '1.375rem', lineHeight: '1.3' },
      h2: { fontSize: '1rem', lineHeight: '1.4' },
      h3: { fontSize: '0.875rem', lineHeight: '1.4' },
    },
  },
  defaultRadius: 'md',
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm' } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300 } },
    Menu: { defaultProps: { position: 'bottom-end', shadow: 'md' } },
    Select: SCROLL,
    MultiSelect: SCROLL,
    Table: { defaultProps: { borderColor: 'var(--line)' } },
    Modal: { defaultProps: { centered: true } },
  },
})

/** Soft colours that keep 4.5:1 for text; Mantine's light green badge does not. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#fafafa',
    '--mantine-color-default-border': '#dcdce0',
    '--mantine-color-dimmed': '#5f5f68',
    '--mantine-color-placeholder': '#6b6b74',
    '--mantine-color-error': '#b42318',
    '--mantine-color-anchor': '#4239b4',
    '--surface': '#ffffff',
    '--line': '#e6e6e9',
    '--hover': '#f4f4f6',
    '--selected': '#eef0ff',
    '--good': '#146c3a',
    '--good-soft': '#e3f5e9',
    '--bad': '#b42318',
    '--bad-soft': '#fdebe9',
    '--warn': '#8a4b00',
    '--warn-soft': '#fdf1dc',
    '--live': '#3d35b0',
    '--live-soft': '#eceefe',
    '--calm': '#52525b',
    '--calm-soft': '#f0f0f2',
    '--gold': '#9a5b00',
  },
  dark: {
    '--mantine-color-body': '#0c0c0e',
    '--mantine-color-default-border': '#2f2f36',
    '--mantine-color-dimmed': '#a3a3ad',
    '--mantine-color-placeholder': '#8f8f99',
    '--mantine-color-error': '#ff9b90',
    '--mantine-color-anchor': '#a9adff',
    '--surface': '#131316',
    '--line': '#26262b',
    '--hover': '#1b1b1f',
    '--selected': '#1f1f3a',
    '--good': '#6fdc9b',
    '--good-soft': '#11281b',
    '--bad': '#ff9b90',
    '--bad-soft': '#33161a',
    '--warn': '#f2bd63',
    '--warn-soft': '#2e210c',
    '--live': '#b1b5ff',
    '--live-soft': '#1f1f3d',
    '--calm': '#b4b4bd',
    '--calm-soft': '#222227',
    '--gold': '#f5c451',
  },
})
