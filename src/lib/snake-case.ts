/** `lastUpdated` → `last_updated`; names that are snake case already stay as they are. */
export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
