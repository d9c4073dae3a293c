import { keysOf, numberKey, recordKey } from '../local/keys.ts'
import { NumberSource, readNumbers, readSync, writeSetting } from '../local/settings-rows.ts'
import type { OutboxRow } from '../model.ts'
import * as clientLimits from '../client-limits.ts'
import type { StoreWriter } from '../stores/store.ts'
import type { SyncDeps } from './sync-deps.ts'

/** Gives this copy of the data a name of its own, and its edits numbers that no other copy has used, in the order that they had. */
export async function renewClient({ store, partition, chance }: SyncDeps): Promise<void> {
  await store.write(async (writer) => {
    const sync = await readSync(writer, partition.id)
    const numbers = new NumberSource(await readNumbers(writer, partition.id))
    const end = numbers.upcoming
    for (;;) {
      const page = await writer.range('outbox', { ...keysOf(partition.id), before: numberKey(partition.id, end), limit: clientLimits.PAGE })
      if (page.length === 0) break
      const given = new Map(page.map(({ value }) => [value.n, numbers.nextNumber()]))
      await renumber(
        writer,
        partition.id,
        page.map(({ value }) => value),
        given,
      )
    }
    await numbers.save(writer, partition.id)
    await writeSetting(writer, partition.id, { ...sync, clientId: chance.id() })
  })
}

/** Rows of collections that the app does not declare any more are renumbered with the rest. */
async function renumber(writer: StoreWriter, partition: string, rows: readonly OutboxRow[], given: ReadonlyMap<number, number>): Promise<void> {
  const numberOf = (n: number): number => given.get(n) ?? n
  const places = [...new Set(rows.map(({ collection, id }) => recordKey(partition, collection, id)))]
  const records = await writer.get('records', places)
  await writer.put(
    'records',
    places.flatMap((key, index) => {
      const record = records[index]
      return record?.pending === undefined ? [] : [{ key, value: { ...record, pending: record.pending.map(numberOf) } }]
    }),
  )
  await writer.put(
    'outbox',
    rows.map(({ sent: _sent, ...row }) => ({ key: numberKey(partition, numberOf(row.n)), value: { ...row, n: numberOf(row.n) } })),
  )
  await writer.remove(
    'outbox',
    rows.map(({ n }) => numberKey(partition, n)),
  )
}
