import { expect, test } from 'vitest'
import { bytes, duration, milliseconds, rate } from './format'
import { answersOf, messagesOf } from './messages'
import { MOST_PIXELS, scrollTo, scrollWindow } from './scroll-window'

test('numbers read as people write them', () => {
  expect([duration(10080), duration(12), duration(0.42), duration(null)]).toEqual([
    '2 h 48 min',
    '12 s',
    '0.4 s',
    '–',
  ])
  expect([bytes(4_812_345), milliseconds(837), rate(28.46)]).toEqual(['4.8 MB', '837 ms', '28.5'])
})

test('a short list scrolls as it is', () => {
  expect(scrollWindow(100, 36, 360, 720)).toEqual({ height: 3600, first: 12, end: 38, top: 432 })
})

test('a million rows fit a capped height, and the ends are reached', () => {
  const rows = 1_000_000
  expect(scrollWindow(rows, 36, 600, 0).first).toBe(0)
  const end = scrollWindow(rows, 36, 600, MOST_PIXELS - 600)
  expect(end.height).toBe(MOST_PIXELS)
  expect(end.end).toBe(rows)
  const position = scrollTo(rows - 1, rows, 36, 600, 0)
  expect(scrollWindow(rows, 36, 600, position).end).toBe(rows)
  expect(scrollTo(0, rows, 36, 600, position)).toBe(0)
})

test('every row of a million can be brought wholly into view', () => {
  const rows = 1_000_000
  for (const row of [0, 1, 17, 444_443, 444_444, 930_001, rows - 2, rows - 1]) {
    const { first, end } = scrollWindow(rows, 36, 600, scrollTo(row, rows, 36, 600, 8_000_000))
    expect(first).toBeLessThanOrEqual(row)
    expect(end).toBeGreaterThan(row)
  }
})

test('requests and answers of every endpoint become messages', () => {
  expect(
    messagesOf({ messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }] }),
  ).toEqual([{ role: 'user', text: 'hi' }])
  expect(messagesOf({ prompt: 'Once' })).toEqual([{ role: 'prompt', text: 'Once' }])
  expect(answersOf({ choices: [{ text: 'upon' }] })).toEqual([{ role: 'completion', text: 'upon' }])
})
