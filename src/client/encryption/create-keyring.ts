import type { Fields } from '../../app/conflict-policy.ts'
import type { CollectionInfo } from '../collection-info.ts'
import { UnreadableError, type Codec } from '../sync/codec.ts'
import { fromBase64, toBase64 } from './base64.ts'
import type { EncryptionKey } from './encryption-key.ts'

/** Keys of a client's encrypted collections. New records are sealed with the key that was added last; others open what is under them. */
export interface Keyring extends Codec {
  /** Adds a key; what could not be read for want of it is read then. */
  add(key: EncryptionKey): void
  /** Takes all keys away: encrypted records that are not sent yet wait. */
  clear(): void
  /** Returns how to stop. */
  watch(listener: () => void): () => void
}

export interface KeyringOptions {
  /** Name of the app: a record of one app never passes for one of another. */
  readonly app: string
  readonly keys?: readonly EncryptionKey[]
}

/** 96 bits, as GCM wants them (NIST SP 800-38D, 8.2). */
const NONCE_BYTES = 12

/** What a sealed record holds, named for the server's schema. */
interface Sealed {
  readonly payload: string
  readonly keyId: string
}

/** Seals records with AES-256-GCM. App, collection, id and key are authenticated, so that no server can pass one record for another. */
export function createKeyring({ app, keys: first = [] }: KeyringOptions): Keyring {
  const keys = new Map(first.map((key) => [key.id, key]))
  let current = first.at(-1)
  const listeners = new Set<() => void>()
  return {
    ready: (collection) => !collection.encrypted || current !== undefined,
    seal: async (collection, id, fields) => {
      if (!collection.encrypted) return fields
      return current === undefined ? undefined : { ...(await seal(current, placeOf(app, collection, id), fields)) }
    },
    open: async (collection, id, sealed) => {
      if (!collection.encrypted) return sealed
      const { payload, keyId } = sealed
      if (typeof payload !== 'string' || typeof keyId !== 'string') throw new UnreadableError('The record is not a sealed one.')
      const key = keys.get(keyId)
      if (key === undefined) throw new UnreadableError(`The record is under key ${keyId}, which this device does not have.`)
      return open(key, placeOf(app, collection, id), payload)
    },
    add: (key) => {
      keys.set(key.id, key)
      current = key
      for (const listener of listeners) listener()
    },
    clear: () => {
      keys.clear()
      current = undefined
    },
    watch: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

async function seal({ id: keyId, key }: EncryptionKey, place: string, fields: Fields): Promise<Sealed> {
  // Random nonces are safe for 2^32 records under one key; a person writes fewer.
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const plain = new TextEncoder().encode(JSON.stringify(fields))
  const cipher = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: authenticated(place, keyId) }, key, plain))
  const payload = new Uint8Array(NONCE_BYTES + cipher.length)
  payload.set(nonce)
  payload.set(cipher, NONCE_BYTES)
  return { payload: toBase64(payload), keyId }
}

async function open({ id: keyId, key }: EncryptionKey, place: string, payload: string): Promise<Fields> {
  try {
    const bytes = fromBase64(payload)
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: bytes.subarray(0, NONCE_BYTES), additionalData: authenticated(place, keyId) }, key, bytes.subarray(NONCE_BYTES))
    return JSON.parse(new TextDecoder().decode(plain)) as Fields
  } catch (cause) {
    throw new UnreadableError('The record was altered, or was sealed for another place.', { cause })
  }
}

function placeOf(app: string, { name }: CollectionInfo, id: string): string {
  return `${app}/${name}/${id}`
}

function authenticated(place: string, keyId: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`holdfast 1\n${place}\n${keyId}`)
}
