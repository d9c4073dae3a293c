/** Highest value of the 12 bits that follow the time. */
const COUNTER_MAX = 0xfff

export interface UuidSource {
  /** Epoch milliseconds. */
  now(): number
  /** Random bytes, as many as asked for. */
  randomBytes(count: number): Uint8Array
}

/** Makes UUIDv7 (RFC 9562): ids that sort by the time they were made, also those of one millisecond and after a clock that stepped back. */
export function createUuidV7({ now, randomBytes }: UuidSource): () => string {
  let lastMs = 0
  let counter = 0
  return () => {
    const ms = now()
    if (ms > lastMs) {
      lastMs = ms
      // Half of the room is left to count in.
      const [high = 0, low = 0] = randomBytes(2)
      counter = ((high << 8) | low) & (COUNTER_MAX >> 1)
    } else if (counter < COUNTER_MAX) counter += 1
    else {
      lastMs += 1
      counter = 0
    }
    const time = lastMs.toString(16).padStart(12, '0')
    const tail = randomBytes(8)
    tail[0] = ((tail[0] ?? 0) & 0x3f) | 0x80
    const random = [...tail].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${random.slice(0, 4)}-${random.slice(4)}`
  }
}
