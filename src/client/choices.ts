import type { Fields } from '../app/conflict-policy.ts'
import { checkWhole } from './check-edit.ts'
import type { CollectionInfo } from './collection-info.ts'
import { changeChains, loadChains, type Partition } from './local/chains.ts'
import { editRecords, type LocalEdit } from './local/edit-records.ts'
import { numberKey } from './local/keys.ts'
import type { LocalData } from './local/local-data.ts'
import { listOpen, takeOut, type OpenTable } from './local/open-rows.ts'
import type { ConflictRow, RejectedRow } from './model.ts'
import { sameFields } from './outbox/apply-row.ts'
import { again, giveUp, resolve } from './outbox/acknowledge.ts'
import { shownOf, type Chain } from './outbox/chain.ts'
import type { ChangedRecord } from './ports.ts'
import type { StoreWriter, Tables } from './stores/store.ts'

/** How a conflict ends. `both` keeps theirs, and mine as a record of its own; `newest` the side that was written last. */
export type Choice = 'mine' | 'theirs' | 'both' | 'newest' | { readonly merged: Readonly<Record<string, unknown>> }

/** A conflict as somebody looked at it. */
export type SeenConflict = Pick<ConflictRow, 'collection' | 'id' | 'mine' | 'theirs'>

/** What waits for a person's word. */
export interface OpenRows<Row> {
  list(): Promise<Row[]>
  /** Calls with the rows and again whenever they have changed. Returns how to stop. */
  watch(listener: (rows: Row[]) => void, onError?: (error: unknown) => void): () => void
}

/** Edits that met another one, until somebody chooses. A choice is a normal edit: made offline as well, and sent when that is possible. */
export interface Conflicts extends OpenRows<ConflictRow> {
  /** Makes the choice between the sides that were looked at. False when one of them has changed since, or the conflict has ended: look again. */
  resolve(seen: SeenConflict, choice: Choice): Promise<boolean>
  /** Makes one choice for all that are there now. Answers how many it has ended. */
  resolveAll(choice: Extract<Choice, string>): Promise<number>
}

/** Edits that the server refused, until they are mended and sent again, or discarded. */
export interface RejectedEdits extends OpenRows<RejectedRow> {
  /**
   * Makes the edit again, with other fields if given; those of its transaction with it. What was written on since its writer looked is met
   * and not overwritten. False when there is no such edit, or the record has a later one here that waits, is refused or in conflict: that
   * comes first.
   */
  retry(n: number, data?: Readonly<Record<string, unknown>>): Promise<boolean>
  /** Throws the edit away, here at once and on the server with the next sync. False when there is no such edit. */
  discard(n: number): Promise<boolean>
}

export interface ChoiceParts {
  readonly data: LocalData
  /** Changes records and tells of it. False when the work answers that there is nothing to do. */
  change(work: (writer: StoreWriter, partition: Partition) => Promise<readonly ChangedRecord[] | undefined>): Promise<boolean>
}

export function createConflicts({ data, change }: ChoiceParts): Conflicts {
  const { chance, clock } = data.parts
  const resolveOne: Conflicts['resolve'] = async ({ collection, id, mine, theirs }, choice) => {
    const at = clock.now()
    return change(async (writer, partition) => {
      const [chain] = await loadChains(writer, partition, [{ collection, id }])
      if (chain?.conflict === undefined) return undefined
      const { conflict } = chain
      // What nobody has seen is nobody's choice.
      if (!sameFields(conflict.mine, mine) || !sameFields(conflict.theirs, theirs)) return undefined
      const wanted = wantedBy(choice, chain.collection, conflict)
      const saved = await changeChain(writer, partition, conflict, (open, nextNumber) => resolve(open, wanted, { n: nextNumber(), at, owner: partition.owner }))
      const copy: LocalEdit[] = choice === 'both' && conflict.mine !== null ? [{ collection, id: chance.id(), op: 'put', data: conflict.mine }] : []
      return [...saved, ...(await editRecords(writer, partition, copy, { at }))]
    })
  }
  const listed = listOf(data, 'conflicts')
  return {
    ...listed,
    resolve: resolveOne,
    resolveAll: async (choice) => {
      let ended = 0
      for (const conflict of await listed.list()) if (await resolveOne(conflict, choice)) ended += 1
      return ended
    },
  }
}

function wantedBy(choice: Choice, collection: CollectionInfo, { mine, theirs, mineAt, theirsAt }: ConflictRow): Fields | null {
  if (typeof choice === 'object') return checkWhole(collection, choice.merged)
  return choice === 'mine' || (choice === 'newest' && mineAt > theirsAt) ? mine : theirs
}

export function createRejected({ data, change }: ChoiceParts): RejectedEdits {
  const { chance, clock } = data.parts
  const listed = listOf(data, 'rejected')
  return {
    ...listed,
    retry: (n, mended) =>
      change(async (writer, partition) => {
        const all = await listOpen(writer, partition.id, 'rejected')
        const chosen = all.find((row) => row.n === n)
        if (chosen === undefined) return undefined
        const { group } = chosen
        const together = group === undefined ? [chosen] : all.filter((row) => row.group === group)
        const chains = await loadChains(writer, partition, together)
        const isPassed = (row: RejectedRow) => together.some(({ collection, id, n: first }) => row.collection === collection && row.id === id && row.n > first)
        if (chains.some(({ rows, conflict }) => rows.length > 0 || conflict !== undefined) || all.some((row) => !together.includes(row) && isPassed(row))) return undefined
        const edit = { at: clock.now(), ...(group === undefined ? {} : { group: chance.id() }) }
        const edited: ChangedRecord[] = []
        for (const [index, row] of together.entries()) {
          const content = editAgain(row, chains[index], row.n === n ? mended : undefined)
          const stale = await changeChain(
            writer,
            partition,
            row,
            (chain, nextNumber) => (chain.rows.length > 0 ? undefined : again(chain, row, { n: nextNumber(), ...edit, ...content, owner: partition.owner })) ?? chain,
          )
          edited.push(...stale, ...(stale.length > 0 ? [] : await editRecords(writer, partition, [{ collection: row.collection, id: row.id, ...content }], edit)))
          await changeChain(writer, partition, row, (chain, nextNumber) => giveUp(chain, row, { n: nextNumber(), at: edit.at, owner: partition.owner }))
        }
        await takeOut(writer, partition.id, together)
        return edited
      }),
    discard: (n) =>
      change(async (writer, partition) => {
        const [row] = await writer.get('rejected', [numberKey(partition.id, n)])
        if (row === undefined) return undefined
        await takeOut(writer, partition.id, [row])
        return changeChain(writer, partition, row, (chain, nextNumber) => giveUp(chain, row, { n: nextNumber(), at: clock.now(), owner: partition.owner }))
      }),
  }
}

/** Changes the edits of one record. Answers it when that changed anything. */
async function changeChain(writer: StoreWriter, partition: Partition, { collection, id }: ChangedRecord, change: (chain: Chain, nextNumber: () => number) => Chain): Promise<ChangedRecord[]> {
  return changeChains(writer, partition, await loadChains(writer, partition, [{ collection, id }]), (chain, _index, nextNumber) => change(chain, nextNumber))
}

/** A refused patch of a record that is not there any more becomes the whole record that its writer saw. */
function editAgain({ op, data, shown }: RejectedRow, chain: Chain | undefined, mended: Readonly<Record<string, unknown>> | undefined): Pick<LocalEdit, 'op' | 'data'> {
  if (op === 'delete') return { op }
  const fields = { ...data, ...mended } as Fields
  return op === 'patch' && chain !== undefined && shownOf(chain) !== null ? { op, data: fields } : { op: 'put', data: { ...shown, ...fields } }
}

/** What is open, now and whenever that has changed: it comes and goes without its record changing. */
function listOf<Name extends OpenTable>(data: LocalData, table: Name): OpenRows<Tables[Name]> {
  const list = () => data.read((reader, { id }) => listOpen(reader, id, table))
  return { list, watch: (listener, onError) => data.watch(list, () => true, listener, onError) }
}
