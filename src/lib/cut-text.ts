/** The beginning of a text, at most so many UTF-16 units, that ends behind a whole character. */
export function cutText(text: string, charsMax: number): string {
  const last = text.charCodeAt(charsMax - 1)
  const splitsPair = text.length > charsMax && last >= 0xd800 && last <= 0xdbff
  return text.slice(0, splitsPair ? charsMax - 1 : charsMax)
}
