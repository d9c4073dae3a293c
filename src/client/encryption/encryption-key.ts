/** A key of encrypted collections. Its bytes leave the device only in a recovery file. */
export interface EncryptionKey {
  /** Says which key a record is under; derived from the key, so that two keys never share it. */
  readonly id: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly key: CryptoKey
}

/** AES-256. */
export const KEY_BYTES = 32
const KEY_ID_BYTES = 8
const KEY_ID_LABEL = 'holdfast key id'

/** A key from 32 bytes that the app keeps, such as in the keystore of a phone. */
export async function keyFromBytes(bytes: Uint8Array): Promise<EncryptionKey> {
  if (bytes.length !== KEY_BYTES) throw new RangeError(`A key has ${KEY_BYTES} bytes, not ${bytes.length}.`)
  const own = new Uint8Array(bytes)
  const label = new TextEncoder().encode(KEY_ID_LABEL)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array([...label, ...own])))
  const key = await crypto.subtle.importKey('raw', own, 'AES-GCM', false, ['encrypt', 'decrypt'])
  return { id: toHex(digest.subarray(0, KEY_ID_BYTES)), bytes: own, key }
}

function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
