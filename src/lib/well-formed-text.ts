/** True when a text can be stored and returned unchanged: no U+0000 and no unpaired surrogate. */
export function isWellFormedText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000')
}
