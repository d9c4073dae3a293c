import * as clientLimits from '../client-limits.ts'
import { changeChains, loadChains } from '../local/chains.ts'
import { keysOf } from '../local/keys.ts'
import type { LocalData } from '../local/local-data.ts'
import { receive } from '../outbox/receive.ts'
import type { Codec } from './codec.ts'
import { receivedOf } from './take-records.ts'

/** Tries again what could not be read when it came, such as records under a key that this device has now. Answers how many could be. */
export async function retryAside(data: LocalData, codec: Codec): Promise<number> {
  let count = 0
  for (let after = ''; ;) {
    const { page, partition } = await data.read(async (reader, { id, collections }) => {
      const keys = keysOf(id)
      return { partition: { id, collections }, page: await reader.range('aside', { ...keys, after: after === '' ? keys.after : after, limit: clientLimits.PAGE }) }
    })
    for (const { key, value } of page) {
      const collection = partition.collections.get(value.record.collection)
      const received = collection === undefined ? undefined : await receivedOf({ codec }, collection, value.record).catch(() => undefined)
      if (received === undefined) continue
      const records = await data.write(async (writer, current) => {
        const [still] = await writer.get('aside', [key])
        // A newer state has come meanwhile, or somebody else works here.
        if (current.id !== partition.id || still?.record.version !== value.record.version) return []
        await writer.remove('aside', [key])
        const { owner } = current
        return changeChains(writer, current, await loadChains(writer, current, [value.record]), (chain, _index, nextNumber) => receive(chain, received, { owner, nextNumber }))
      })
      data.parts.store.announce(records)
      count += 1
    }
    const last = page.at(-1)
    if (last === undefined || page.length < clientLimits.PAGE) return count
    after = last.key
  }
}
