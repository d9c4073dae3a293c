import type { CompiledCollection } from '../app/compile-app.ts'
import type { Fields } from '../app/conflict-policy.ts'
import type { JsonValue } from '../lib/json.ts'
import { foldText } from './fold-text.ts'
import { searchLimits } from './search-limits.ts'

/** Stand between segments of a field, and behind a field; no term can hold them, so that none spans two. */
const SEGMENT_SEPARATOR = '\u001F'
export const FIELD_SEPARATOR = '\u001E'

/** What of a record is searched. */
export interface SearchText {
  /** Folded texts: one per text field, one per text inside a JSON field. */
  readonly segments: readonly string[]
  /** All segments, each with a blank before it: where a term has a blank before it, a word begins. Fields stand in their order, the empty ones too. */
  readonly body: string
  /** The same of the first field, which counts most. */
  readonly head: string
}

/** The searched text of a record, in the order of the declared fields. */
export function searchTextOf({ search }: CompiledCollection, fields: Fields): SearchText {
  let left: number = searchLimits.TEXT_CHARS_MAX
  const byField = search.map(({ name }) => {
    const segments: string[] = []
    for (const text of textsIn(fields[name] ?? null)) {
      if (left <= 0) break
      const folded = foldText(text.slice(0, left))
      left -= text.length
      if (folded !== '') segments.push(folded)
    }
    return segments
  })
  const texts = byField.map(joined)
  return { segments: byField.flat(), body: texts.map((text) => `${text}${FIELD_SEPARATOR}`).join(''), head: texts[0] ?? '' }
}

function* textsIn(value: JsonValue): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) yield* textsIn(part as JsonValue)
}

function joined(segments: readonly string[]): string {
  return segments.map((segment) => ` ${segment}`).join(SEGMENT_SEPARATOR)
}
