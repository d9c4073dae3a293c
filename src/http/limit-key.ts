import { createHash } from 'node:crypto'

/** What a store that others can read knows of a key: neither addresses nor e-mail addresses lie about in it. */
export function digestOf(key: string | number): string {
  return createHash('sha256').update(String(key)).digest('base64url')
}
