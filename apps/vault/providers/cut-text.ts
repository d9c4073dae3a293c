/** The first `charsMax` code points of a text. */
export function cutText(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  let units = 0
  let chars = 0
  for (const char of text) {
    if (chars === charsMax) break
    chars += 1
    units += char.length
  }
  return text.slice(0, units)
}

/** Length in code points. */
export function charCount(text: string): number {
  let chars = 0
  for (const _ of text) chars += 1
  return chars
}

/** At most `charsMax` code points, ended at a word where one ends in the second half. */
export function cutAtWord(text: string, charsMax: number): string {
  const cut = cutText(text, charsMax)
  if (cut.length === text.length) return text
  const blank = cut.search(/\s\S*$/u)
  return blank > cut.length / 2 ? cut.slice(0, blank) : cut
}

/** Without the marks and blanks that a piece of text begins or ends with. */
export function trimEnds(text: string): string {
  return text.replace(/^[\s\-–—•*#>.,;:“"]+/u, '').replace(/(?<![\s\-–—,;:.。！!”"])[\s\-–—,;:.。！!”"]+$/u, '')
}
