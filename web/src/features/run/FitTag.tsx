import type { Model } from '../../api/models'
import { count } from '../../ui/format'
import { Tag, type Tone } from '../../ui/Tag'

type Fit = Model['fit']

const TONES: Record<Fit['verdict'], Tone> = {
  fits: 'good',
  fits_shorter: 'warn',
  does_not_fit: 'warn',
  cannot_tell: 'calm',
}

function word({ verdict, longest }: Fit): string {
  switch (verdict) {
    case 'fits':
      return 'Fits'
    case 'fits_shorter':
      return `Up to ${count(longest ?? 0)} tokens`
    case 'does_not_fit':
      return 'Does not fit'
    case 'cannot_tell':
      return 'Cannot tell'
  }
}

/** What was found of a model's memory on this hardware, in a word. */
export function FitTag({ fit }: { fit: Fit }) {
  return <Tag tone={TONES[fit.verdict]}>{word(fit)}</Tag>
}
