/**
 * Which rows of a long list are in view. Browsers cap an element's height (Firefox breaks at 17.9
 * million pixels, Chromium at 33.5), so a list that would be taller gets the most that is safe, and
 * its scroll position stands for a proportionally larger one.
 */
export const MOST_PIXELS = 16_000_000
const SPARE_ROWS = 8

export interface ScrollWindow {
  /** Height of the scrolled element. */
  height: number
  /** First row to render, and the one after the last. */
  first: number
  end: number
  /** Where the first of them begins within the scrolled element. */
  top: number
}

export function scrollWindow(
  rows: number,
  rowHeight: number,
  viewport: number,
  scrollTop: number,
): ScrollWindow {
  const wanted = rows * rowHeight
  const height = Math.min(wanted, MOST_PIXELS)
  const position = toVirtual(rows, rowHeight, viewport, scrollTop)
  const first = Math.max(0, Math.floor(position / rowHeight) - SPARE_ROWS)
  const end = Math.min(rows, Math.ceil((position + viewport) / rowHeight) + SPARE_ROWS)
  return { height, first, end, top: scrollTop + first * rowHeight - position }
}

/** How many virtual pixels one pixel of scrolling stands for. */
function scale(rows: number, rowHeight: number, viewport: number): number {
  const wanted = rows * rowHeight
  const height = Math.min(wanted, MOST_PIXELS)
  return height > viewport ? (wanted - viewport) / (height - viewport) : 1
}

function toVirtual(rows: number, rowHeight: number, viewport: number, scrollTop: number): number {
  const most = Math.max(0, rows * rowHeight - viewport)
  return Math.min(most, Math.max(0, scrollTop * scale(rows, rowHeight, viewport)))
}

/** The nearest scroll position at which a row is wholly in view. */
export function scrollTo(
  row: number,
  rows: number,
  rowHeight: number,
  viewport: number,
  scrollTop: number,
): number {
  const position = toVirtual(rows, rowHeight, viewport, scrollTop)
  const top = row * rowHeight
  const factor = scale(rows, rowHeight, viewport)
  if (top < position) return Math.floor(top / factor)
  if (top + rowHeight > position + viewport) return Math.ceil((top + rowHeight - viewport) / factor)
  return scrollTop
}
