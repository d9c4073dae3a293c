/** Names of tags with commas or semicolons between them, each once. */
export function splitTags(text: string): string[] {
  const names = text
    .split(/[,;]/)
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== '#')
  return [...new Set(names)]
}
