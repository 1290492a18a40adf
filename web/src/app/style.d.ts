import 'react'

declare module 'react' {
  // Custom properties, which a grid's template reads.
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type
  interface CSSProperties extends Record<`--${string}`, string | number | undefined> {}
}
