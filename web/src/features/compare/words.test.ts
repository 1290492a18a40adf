import { expect, test } from 'vitest'
import { aBenchmark, someStatistics } from '../../test/records'
import { namesOf } from './names'
import { wordDiff } from './word-diff'

test('changes with only a space between them read as one', () => {
  expect(wordDiff('a b c d', 'a x y d')).toEqual([
    { text: 'a ', kind: 'same' },
    { text: 'b c', kind: 'removed' },
    { text: 'x y', kind: 'added' },
    { text: ' d', kind: 'same' },
  ])
})

test('answers that share next to nothing are not marked from end to end', () => {
  const words = (letter: string) =>
    Array.from({ length: 60 }, (_, at) => letter + String(at)).join(' ')
  expect(wordDiff(words('a'), words('b'))).toBeNull()
  expect(wordDiff('yes', 'no')).not.toBeNull()
})

test('columns of the same model are told apart by their overrides', () => {
  const column = (id: string, temperature: number | null) => ({
    benchmark: aBenchmark({ benchmark_id: id, sampling: { temperature } }),
    statistics: someStatistics(),
    scores: [],
  })
  expect(namesOf([column('bm_1', null), column('bm_2', 0)])).toEqual([
    'Small (as requested)',
    'Small (temperature 0)',
  ])
  expect(namesOf([column('bm_1', 0), column('bm_2', 0)])).toEqual(['Small (bm_1)', 'Small (bm_2)'])
})
