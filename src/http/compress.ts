import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib'
import type { Transform } from 'node:stream'

/** A content coding that both sides know, and a stream that makes it. */
export interface Coding {
  readonly name: 'zstd' | 'br' | 'gzip'
  create(): Transform
}

/** Best first: for JSON lines zstd costs least for its size; brotli is kept quick. */
const codings: readonly Coding[] = [
  { name: 'zstd', create: () => createZstdCompress() },
  { name: 'br', create: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }) },
  { name: 'gzip', create: () => createGzip({ level: 6 }) },
]

/** The coding to answer in, by `Accept-Encoding` (RFC 9110 §12.5.3); undefined for none. `*` is taken as gzip, which everybody reads. */
export function codingFor(acceptEncoding: string | undefined): Coding | undefined {
  const accepted = new Map((acceptEncoding ?? '').split(',').map(weightedName))
  const named = codings.find(({ name }) => (accepted.get(name) ?? 0) > 0)
  if (named !== undefined) return named
  return (accepted.get('*') ?? 0) > 0 && accepted.get('gzip') !== 0 ? codings.find(({ name }) => name === 'gzip') : undefined
}

function weightedName(part: string): [name: string, weight: number] {
  const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  return [name, weight === undefined ? 1 : Number(weight) || 0]
}
