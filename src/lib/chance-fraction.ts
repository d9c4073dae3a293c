import type { Chance } from './chance.ts'

const CHARS = 8

/** A fraction from 0 to 1 out of the random source. */
export function chanceFraction({ secret }: Pick<Chance, 'secret'>): number {
  let value = 0
  for (const char of secret().slice(0, CHARS)) value = value * alphabet.length + Math.max(0, alphabet.indexOf(char))
  return value / alphabet.length ** CHARS
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
