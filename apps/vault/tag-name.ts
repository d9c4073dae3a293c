import { vaultLimits } from './limits.ts'

/** A tag as it is shown, and what two tags of one name have in common. */
export interface TagName {
  readonly name: string
  readonly nameKey: string
}

/** A name as it is kept: trimmed, without `#` before it, runs of white space as one blank. Cleaned again it stays as it is, so that a device may send back what it has read. */
export function cleanTagName(text: string): string {
  return text
    .replaceAll(/[\s\u0085]+/gu, ' ')
    .replace(/^[ #]+/, '')
    .trim()
}

/** Reads the name of a tag. Undefined for one that is blank, too long or not well-formed. */
export function readTagName(text: string): TagName | undefined {
  if (text.includes('\0') || !text.isWellFormed()) return undefined
  const name = cleanTagName(text)
  const chars = name.length <= vaultLimits.TAG_CHARS_MAX ? name.length : [...name].length
  return name === '' || chars > vaultLimits.TAG_CHARS_MAX ? undefined : { name, nameKey: tagKey(name) }
}

/** Equal keys are the same tag: NFKC and lower case, in that order and until nothing changes. */
export function tagKey(name: string): string {
  // Lower-casing can make what NFKC joins, and the other way round.
  const once = name.normalize('NFKC').toLowerCase()
  const key = once.normalize('NFKC').toLowerCase()
  return key.replaceAll(/\s+/gu, ' ').trim()
}
