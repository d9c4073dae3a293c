import { fromBase64, toBase64 } from './base64.ts'
import { keyFromBytes, type EncryptionKey } from './encryption-key.ts'

const KIND = 'holdfast-recovery-key'

/** The text of a file from which a key can be had again. Whoever has the file can read everything: it belongs in a safe place. */
export function recoveryFile(key: EncryptionKey): string {
  return `${JSON.stringify({ kind: KIND, version: 1, keyId: key.id, key: toBase64(key.bytes) }, null, 2)}\n`
}

/** The key of a recovery file. Throws when the file is not one, or was damaged: the key's id would not fit. */
export async function keyFromRecoveryFile(text: string): Promise<EncryptionKey> {
  const key = await readKey(text).catch(() => undefined)
  if (key === undefined) throw new TypeError('This is not a recovery file, or it was damaged.')
  return key
}

async function readKey(text: string): Promise<EncryptionKey | undefined> {
  const file = JSON.parse(text) as { readonly kind?: unknown; readonly version?: unknown; readonly keyId?: unknown; readonly key?: unknown } | null
  if (file?.kind !== KIND || file.version !== 1 || typeof file.key !== 'string') return undefined
  const key = await keyFromBytes(fromBase64(file.key))
  return key.id === file.keyId ? key : undefined
}
