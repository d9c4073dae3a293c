import { hash } from 'node:crypto'

/** SHA-256, lower-case hex, under which a random secret is stored. It has 256 bits of its own, so a slow hash adds nothing. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex')
}
