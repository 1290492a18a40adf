import type { GraderSpec } from '../../api/graders'

export type Kind = GraderSpec['kind']

/** What a person can choose from, and what each means. */
export const KINDS: { value: Kind; label: string; means: string }[] = [
  {
    value: 'normalized',
    label: 'Same text, but for form',
    means: 'The answer is the expected text; case, punctuation and spaces do not matter.',
  },
  { value: 'exact', label: 'Same text', means: 'The answer is the expected text exactly.' },
  { value: 'contains', label: 'Contains', means: 'The expected text occurs in the answer.' },
  { value: 'numeric', label: 'Number', means: 'A number in the answer is the expected one.' },
  { value: 'similarity', label: 'Similarity', means: 'How alike answer and expected text are.' },
  { value: 'regex', label: 'Pattern', means: 'A regular expression (RE2) occurs in the answer.' },
  { value: 'json_valid', label: 'Valid JSON', means: 'The answer is JSON.' },
  { value: 'json_schema', label: 'JSON Schema', means: 'The answer is JSON of this schema.' },
  {
    value: 'judge',
    label: 'Model as judge',
    means: 'A model judges the answers, in a benchmark of its own that you start.',
  },
]

/** What the form holds, whatever the kind. */
export interface Form {
  name: string
  kind: Kind
  field: string
  pattern: string
  schema: string
  tolerance: number
  model: string
  mode: 'pointwise' | 'pairwise'
  instructions: string
}

export const EMPTY: Form = {
  name: '',
  kind: 'normalized',
  field: 'expected',
  pattern: '',
  schema: '{"type": "object"}',
  tolerance: 0,
  model: '',
  mode: 'pointwise',
  instructions: 'Judge how correct, complete and helpful the answer is.',
}

export const usesField = (kind: Kind) => !['json_valid', 'json_schema', 'judge'].includes(kind)

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The schema that was typed; a sentence when it is none. */
function schemaOf(typed: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(typed)
    return isObject(value) ? value : 'A schema is a JSON object.'
  } catch {
    return 'This is not JSON.'
  }
}

/** What the form says, as the server takes it; a sentence when it says nothing yet. */
export function specOf(form: Form): GraderSpec | string {
  const { kind, field } = form
  switch (kind) {
    case 'exact':
    case 'normalized':
      return { kind, field }
    case 'contains':
      return { kind, field, ignore_case: true }
    case 'regex':
      return { kind, field, pattern: form.pattern || null, ignore_case: false }
    case 'numeric':
      return { kind, field, take: 'last', absolute: form.tolerance || 1e-9, relative: 0 }
    case 'similarity':
      return { kind, field, method: 'characters' }
    case 'json_valid':
      return { kind, fenced: true }
    case 'json_schema': {
      const schema = schemaOf(form.schema)
      return typeof schema === 'string' ? schema : { kind, json_schema: schema, fenced: true }
    }
    case 'judge':
      if (form.model === '') return 'Choose the model that judges.'
      return {
        kind,
        model_id: form.model,
        mode: form.mode,
        instructions: form.instructions,
        levels: 5,
        reason: true,
        most_rows: 1000,
        sampling: { temperature: 0, max_tokens: 256 },
      }
  }
}
