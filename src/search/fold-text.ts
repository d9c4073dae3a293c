/** Changes with every change of what is folded or indexed, so that the index is made anew. */
export const FOLD_VERSION = 4

/** Latin letters with a stroke, and joined ones: they have no mark that could be taken off. */
const latinLetters: Readonly<Record<string, string>> = { ø: 'o', đ: 'd', ł: 'l', ħ: 'h', ŧ: 't', ƀ: 'b', ɨ: 'i', ƶ: 'z', æ: 'ae', œ: 'oe', ß: 'ss', ð: 'd', þ: 'th' }

/**
 * Text as it is compared: case of every script, accents of Latin letters, compatibility forms (full width, ligatures) and kinds of white space do not count.
 * Everything else does, punctuation included. White space runs are one blank; none stands at either end.
 */
export function foldText(text: string): string {
  return (
    text
      // First of all, as they may stand between a letter and its mark.
      .replaceAll(/[\u00AD\u200B\u2060\uFEFF]/g, '')
      .normalize('NFKC')
      // Upper case first joins what only that knows as equal: ß and SS, the two small sigmas.
      .toUpperCase()
      .toLowerCase()
      .replaceAll('ς', 'σ')
      .normalize('NFKD')
      .replaceAll(/(\p{Script=Latin})\p{M}+/gu, '$1')
      .replaceAll(/[øđłħŧƀɨƶæœßðþ]/g, (letter) => latinLetters[letter] ?? letter)
      .normalize('NFC')
      .replaceAll(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .toWellFormed()
  )
}
