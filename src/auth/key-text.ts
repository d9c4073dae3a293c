import { timingSafeEqual } from 'node:crypto'
import { hashSecret } from './hash-secret.ts'

/** What every API key begins with, so that people, secret scanners and `authenticate` know one. */
const PREFIX = 'hfk_'
const pattern = /^hfk_([0-9a-f-]{36})_([A-Za-z0-9_-]{43})$/

/** `hfk_<id>_<secret>`: the id finds the row, the secret proves the right. */
export function keyText(id: string, secret: string): string {
  return `${PREFIX}${id}_${secret}`
}

/** True for a credential that is meant as an API key, whatever it is worth. */
export function looksLikeKey(text: string): boolean {
  return text.startsWith(PREFIX)
}

/** Id and secret of a key's text; undefined when it is not one. */
export function parseKey(text: string): { readonly id: string; readonly secret: string } | undefined {
  const [, id, secret] = pattern.exec(text) ?? []
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

/** Compares a secret with the stored hash in constant time. */
export function secretMatches(secret: string, storedHash: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(secret)), Buffer.from(storedHash))
}
