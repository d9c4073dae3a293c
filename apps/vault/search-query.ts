import { foldText } from 'holdfast/server'

/** What a person looks for: folded terms, all of which must occur. */
export interface SearchQuery {
  /** `tag_only`: every term must occur in the name of a tag. */
  readonly mode: 'combined' | 'tag_only'
  readonly terms: readonly QueryTerm[]
}

export interface QueryTerm {
  readonly text: string
  /** Must occur in the name of a tag; nowhere else counts. */
  readonly inTags: boolean
}

/** Terms of one search: each is looked up by itself. */
export const QUERY_TERMS_MAX = 32
/** Different words that are compared with each other, to leave out those that others hold. */
const WORDS_MAX = 256

/** Reads a query; nothing in it is an operator but a leading `#`. Undefined for one without anything to look for, or with too much. */
export function readSearchQuery(text: string): SearchQuery | undefined {
  const folded = foldText(text)
  const mode = folded.startsWith('#') ? 'tag_only' : 'combined'
  const words = new Set(folded.split(' '))
  if (words.size > WORDS_MAX) return undefined
  const terms = [...words].flatMap((word) => {
    const inTags = mode === 'tag_only' || word.startsWith('#')
    const term = word.startsWith('#') ? word.slice(1) : word
    return term === '' ? [] : [{ text: term, inTags }]
  })
  const needed = terms.filter((term, index) => !terms.some((other, place) => place !== index && makesNeedless(other, term, place < index)))
  return needed.length === 0 || needed.length > QUERY_TERMS_MAX ? undefined : { mode, terms: needed }
}

/** Whether what has `one` has `other` as well. Of two that are the same the earlier is kept. */
function makesNeedless(one: QueryTerm, other: QueryTerm, isEarlier: boolean): boolean {
  if (other.inTags && !one.inTags) return false
  const isSame = one.text === other.text && one.inTags === other.inTags
  return isSame ? isEarlier : one.text.includes(other.text)
}
