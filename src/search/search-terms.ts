import { foldText } from './fold-text.ts'

/** One thing that must occur. */
export interface SearchTerm {
  /** Folded; may hold blanks. */
  readonly text: string
}

/** The words of a query, each a term; nothing in it is an operator. */
export function termsOf(query: string): readonly SearchTerm[] {
  const words = foldText(query).split(' ')
  return [...new Set(words)].filter((word) => word !== '').map((text) => ({ text }))
}

/** A phrase as one term: its words next to each other, in this order. */
export function phraseOf(phrase: string): readonly SearchTerm[] {
  const text = foldText(phrase)
  return text === '' ? [] : [{ text }]
}
