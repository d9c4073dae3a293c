import type { Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { FetchRefusal } from './fetch-refusal.ts'

export interface BodyBounds {
  readonly encoding: string | undefined
  /** What the answer says of its length. */
  readonly length: string | undefined
  /** Bound of the body as it is read, after unpacking. */
  readonly bytesMax: number
  readonly signal: AbortSignal
}

const decoders: Readonly<Record<string, () => Transform>> = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress }

/** Reads a body, unpacked, and stops at the first byte over the bound: a small packed body may be a large one. Throws `too_large`. */
export async function readBody(stream: Readable, { encoding, length, bytesMax, signal }: BodyBounds): Promise<Buffer> {
  if (Number(length ?? 0) > bytesMax) throw tooLarge(bytesMax)
  const unpacked = unpack(stream, encoding)
  const abort = () => unpacked.destroy(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > bytesMax) throw tooLarge(bytesMax)
      chunks.push(chunk)
    }
  } finally {
    signal.removeEventListener('abort', abort)
  }
  return Buffer.concat(chunks, bytes)
}

function unpack(stream: Readable, encoding: string | undefined): Readable {
  const name = encoding?.trim().toLowerCase() ?? 'identity'
  if (name === 'identity' || name === '') return stream
  const decoder = decoders[name]?.()
  if (decoder === undefined) throw new FetchRefusal('type', `The server answered with the encoding "${name.slice(0, 60)}".`)
  stream.once('error', (error) => decoder.destroy(error))
  return stream.pipe(decoder)
}

function tooLarge(bytesMax: number): FetchRefusal {
  return new FetchRefusal('too_large', `The answer is larger than ${bytesMax} bytes.`)
}
