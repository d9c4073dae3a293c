import type { Fields } from '../app/conflict-policy.ts'
import * as clientLimits from './client-limits.ts'
import { checkWhole } from './check-edit.ts'
import type { CollectionInfo } from './collection-info.ts'
import { changeChains, loadChains, type Partition } from './local/chains.ts'
import { editRecords, type LocalEdit } from './local/edit-records.ts'
import { keysOf, numberKey } from './local/keys.ts'
import type { LocalData } from './local/local-data.ts'
import { getItem } from './local/query.ts'
import { readSync, writeSetting } from './local/settings-rows.ts'
import type { ConflictRow, RejectedRow } from './model.ts'
import { again, giveUp, resolve } from './outbox/acknowledge.ts'
import type { Chain } from './outbox/chain.ts'
import type { ChangedRecord, ClientChance } from './ports.ts'
import type { StoreWriter, TableName, Tables } from './stores/store.ts'

/** How a conflict ends. `both` keeps theirs, and mine as a record of its own; `newest` the side that was written last. */
export type Choice = 'mine' | 'theirs' | 'both' | 'newest' | { readonly merged: Readonly<Record<string, unknown>> }

/** Edits that met another one, until somebody chooses. A choice is a normal edit: made offline as well, and sent when that is possible. */
export interface Conflicts {
  list(): Promise<ConflictRow[]>
  /** Calls with the conflicts and again whenever they have changed. Returns how to stop. */
  watch(listener: (conflicts: ConflictRow[]) => void, onError?: (error: unknown) => void): () => void
  /** False when there is no such conflict any more. */
  resolve(conflict: ChangedRecord, choice: Choice): Promise<boolean>
  /** Makes one choice for all. Answers how many there were. */
  resolveAll(choice: Extract<Choice, string>): Promise<number>
}

/** Edits that the server refused, until they are mended and sent again, or discarded. */
export interface RejectedEdits {
  list(): Promise<RejectedRow[]>
  watch(listener: (rejected: RejectedRow[]) => void, onError?: (error: unknown) => void): () => void
  /** Makes the edit again on the record as it is now, with other fields if given; those of its transaction with it. */
  retry(n: number, data?: Readonly<Record<string, unknown>>): Promise<boolean>
  /** Throws the edit away, here at once and on the server with the next sync. False when there is no such edit. */
  discard(n: number): Promise<boolean>
}

/** Conflicts and refusals come and go without their record changing. */
const anyChange = (): boolean => true

export interface ChoiceParts {
  readonly data: LocalData
  readonly chance: ClientChance
  /** Something is to be sent. */
  changed(): void
}

export function createConflicts({ data, chance, changed }: ChoiceParts): Conflicts {
  const resolveOne: Conflicts['resolve'] = async ({ collection, id }, choice) => {
    const at = data.parts.clock.now()
    const records = await data.write(async (writer, partition) => {
      const [chain] = await loadChains(writer, partition, [{ collection, id }])
      if (chain?.conflict === undefined) return undefined
      const { conflict } = chain
      const wanted = wantedBy(choice, chain.collection, conflict)
      const saved = await changeChain(writer, partition, chain.conflict, (open, nextNumber) => resolve(open, wanted, { n: nextNumber(), at, owner: partition.owner }))
      const copy: LocalEdit[] = choice === 'both' && conflict.mine !== null ? [{ collection, id: chance.id(), op: 'put', data: conflict.mine }] : []
      return [...saved, ...(await editRecords(writer, partition, copy, { at }))]
    })
    if (records === undefined) return false
    data.parts.store.announce(records)
    changed()
    return true
  }
  const list = () => listAll(data, 'conflicts')
  return {
    list,
    watch: (listener, onError) => data.watch(list, anyChange, listener, onError),
    resolve: resolveOne,
    resolveAll: async (choice) => {
      const all = await list()
      for (const conflict of all) await resolveOne(conflict, choice)
      return all.length
    },
  }
}

function wantedBy(choice: Choice, collection: CollectionInfo, { mine, theirs, mineAt, theirsAt }: ConflictRow): Fields | null {
  if (typeof choice === 'object') return checkWhole(collection, choice.merged)
  return choice === 'mine' || (choice === 'newest' && mineAt > theirsAt) ? mine : theirs
}

export function createRejected({ data, chance, changed }: ChoiceParts): RejectedEdits {
  const list = () => listAll(data, 'rejected')
  return {
    list,
    watch: (listener, onError) => data.watch(list, anyChange, listener, onError),
    retry: async (n, mended) => {
      const all = await list()
      const chosen = all.find((row) => row.n === n)
      if (chosen === undefined) return false
      const together = chosen.group === undefined ? [chosen] : all.filter(({ group }) => group === chosen.group)
      const records = await data.write(async (writer, partition) => {
        const group = chosen.group === undefined ? {} : { group: chance.id() }
        const at = data.parts.clock.now()
        const edited: ChangedRecord[] = []
        for (const row of together) {
          const item = await getItem(writer, partition, row.collection, row.id)
          const content = editAgain(row, item?.data, row.n === n ? mended : undefined)
          const stale = await changeChain(writer, partition, row, (chain, nextNumber) => again(chain, row, { n: nextNumber(), at, ...content, ...group, owner: partition.owner }) ?? chain)
          edited.push(...stale, ...(stale.length > 0 ? [] : await editRecords(writer, partition, [{ collection: row.collection, id: row.id, ...content }], { at, ...group })))
          await changeChain(writer, partition, row, (chain, nextNumber) => giveUp(chain, row, { n: nextNumber(), at, owner: partition.owner }))
        }
        await writer.remove(
          'rejected',
          together.map((row) => numberKey(partition.id, row.n)),
        )
        return edited
      })
      data.parts.store.announce(records)
      changed()
      return true
    },
    discard: async (n) => {
      const found = await data.write(async (writer, partition) => {
        const key = numberKey(partition.id, n)
        const [row] = await writer.get('rejected', [key])
        if (row === undefined) return false
        await writer.remove('rejected', [key])
        const { discards = [], ...sync } = await readSync(writer, partition.id)
        await writeSetting(writer, partition.id, { ...sync, discards: [...discards, { collection: row.collection, id: row.id }] })
        const at = data.parts.clock.now()
        await changeChain(writer, partition, row, (chain, nextNumber) => giveUp(chain, row, { n: nextNumber(), at, owner: partition.owner }))
        return true
      })
      data.parts.store.announce([])
      if (found) changed()
      return found
    },
  }
}

/** Changes the edits of one record. Answers it when that changed anything. */
async function changeChain(writer: StoreWriter, partition: Partition, { collection, id }: ChangedRecord, change: (chain: Chain, nextNumber: () => number) => Chain): Promise<ChangedRecord[]> {
  return changeChains(writer, partition, await loadChains(writer, partition, [{ collection, id }]), (chain, _index, nextNumber) => change(chain, nextNumber))
}

/** A refused patch of a record that is not there any more becomes the whole record that its writer saw. */
function editAgain({ op, data, shown }: RejectedRow, current: Fields | undefined, mended: Readonly<Record<string, unknown>> | undefined): Pick<LocalEdit, 'op' | 'data'> {
  if (op === 'delete') return { op }
  const fields = { ...data, ...mended } as Fields
  return op === 'patch' && current !== undefined ? { op, data: fields } : { op: 'put', data: { ...shown, ...fields } }
}

async function listAll<Name extends Extract<TableName, 'conflicts' | 'rejected'>>(data: LocalData, table: Name): Promise<Tables[Name][]> {
  const rows: Tables[Name][] = []
  for (let after = ''; ;) {
    const page = await data.read((reader, partition) => {
      const keys = keysOf(partition.id)
      return reader.range(table, { ...keys, after: after === '' ? keys.after : after, limit: clientLimits.PAGE })
    })
    rows.push(...page.map(({ value }) => value))
    const last = page.at(-1)
    if (last === undefined || page.length < clientLimits.PAGE) return rows
    after = last.key
  }
}
