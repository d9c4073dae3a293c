/** A text without the white space at its ends, as Unicode has it; `trim` alone would leave U+0085. */
export function trimText(text: string): string {
  const trimmed = text.trim()
  return trimmed.startsWith('\u0085') || trimmed.endsWith('\u0085') ? trimText(trimmed.replaceAll(/^\u0085+|\u0085+$/g, '')) : trimmed
}
