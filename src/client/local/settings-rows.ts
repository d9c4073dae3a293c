import type { NumbersRow, SyncRow } from '../settings.ts'
import type { StoreReader, StoreWriter } from '../stores/store.ts'
import { settingKey } from './keys.ts'

export async function readNumbers(reader: StoreReader, partition: string): Promise<NumbersRow> {
  const [row] = await reader.get('settings', [settingKey(partition, 'numbers')])
  return row?.kind === 'numbers' ? row : { kind: 'numbers', n: 1 }
}

export async function readSync(reader: StoreReader, partition: string): Promise<SyncRow> {
  const [row] = await reader.get('settings', [settingKey(partition, 'sync')])
  if (row?.kind === 'sync') return row
  throw new Error('The partition is not there any more.')
}

export async function writeSetting(writer: StoreWriter, partition: string, row: NumbersRow | SyncRow): Promise<void> {
  await writer.put('settings', [{ key: settingKey(partition, row.kind), value: row }])
}

/** Gives numbers out in a transaction and notes the next one at its end. */
export class NumberSource {
  readonly #row: NumbersRow
  #n: number

  constructor(row: NumbersRow) {
    this.#row = row
    this.#n = row.n
  }

  /** The number that is given out next. */
  get upcoming(): number {
    return this.#n
  }

  nextNumber = (): number => {
    this.#n += 1
    return this.#n - 1
  }

  async save(writer: StoreWriter, partition: string): Promise<void> {
    if (this.#n === this.#row.n) return
    await writeSetting(writer, partition, { kind: 'numbers', n: this.#n })
  }
}
