import { KEY_BYTES, keyFromBytes, type EncryptionKey } from './encryption-key.ts'

export interface PassphraseOptions {
  readonly passphrase: string
  /** The same on every device and different for every account, such as the account's id; at least 8 characters. It is no secret. */
  readonly salt: string
}

/** Argon2id: second recommendation of RFC 9106, for devices with little memory. */
const MEMORY_KIB = 65_536
const PASSES = 3
const LANES = 1
const PASSPHRASE_CHARS_MIN = 12
const SALT_CHARS_MIN = 8

/** A key from what a person can remember. Takes about a second and 64 MiB, so that guessing does as well. */
export async function keyFromPassphrase({ passphrase, salt }: PassphraseOptions): Promise<EncryptionKey> {
  if (passphrase.length < PASSPHRASE_CHARS_MIN) throw new RangeError(`A passphrase has at least ${PASSPHRASE_CHARS_MIN} characters.`)
  if (salt.length < SALT_CHARS_MIN) throw new RangeError(`A salt has at least ${SALT_CHARS_MIN} characters.`)
  // Loaded when it is needed: most sessions begin with a key that is there already.
  const { argon2id } = await import('hash-wasm')
  const bytes = await argon2id({
    password: passphrase.normalize('NFKC'),
    salt: await saltBytes(salt),
    memorySize: MEMORY_KIB,
    iterations: PASSES,
    parallelism: LANES,
    hashLength: KEY_BYTES,
    outputType: 'binary',
  })
  return keyFromBytes(bytes)
}

async function saltBytes(salt: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`holdfast salt\n${salt}`)))
}
