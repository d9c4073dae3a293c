/** One line of the sources as it should not be. */
export interface PlantedBug {
  readonly name: string
  /** From the root of the repository. */
  readonly file: string
  readonly right: string
  readonly wrong: string
}

/** Bugs that somebody might make: each is one change in one place, and the simulation must find it. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'ack: edits made while one was under way are dropped with its answer',
    file: 'src/client/outbox/acknowledge.ts',
    right: 'return accept({ ...chain, rows: rest }, row, answer, options)',
    wrong: 'return accept({ ...chain, rows: [] }, row, answer, options)',
  },
  {
    name: 'ack: the device believes that the server has seen no more than the edit itself',
    file: 'src/client/outbox/acknowledge.ts',
    right: 'if (answer.record !== undefined) return answer.record',
    wrong: 'if (answer.record !== undefined) return { ...answer.record, fields: applyRow(row.baseFields, row) }',
  },
  {
    name: 'coalescing: an edit joins a row that has been sent',
    file: 'src/client/outbox/coalesce.ts',
    right: 'if (existing.sent === true || existing.group !== next.group)',
    wrong: 'if (existing.group !== next.group)',
  },
  {
    name: 'coalescing: of two patches the second one is left',
    file: 'src/client/outbox/coalesce.ts',
    right: 'data: { ...existing.data, ...next.data }',
    wrong: 'data: { ...next.data }',
  },
  {
    name: 'cursor: it moves on though the page was not full',
    file: 'src/storage/pull.ts',
    right: 'const version = more && page.version !== undefined ? page.version : state.version',
    wrong: 'const version = state.version',
  },
  {
    name: 'cursor: the device keeps the new one and leaves out the first record of its page',
    file: 'src/client/sync/pull.ts',
    right: 'await openRecords(deps, changes)',
    wrong: 'await openRecords(deps, changes.slice(1))',
  },
  {
    name: 'mutation number: given out and not noted',
    file: 'src/client/local/settings-rows.ts',
    right: 'if (this.#n === this.#row.n) return',
    wrong: 'if (this.#n % 4 > 0) return',
  },
  {
    name: 'mutation number: another one when an edit is sent again',
    file: 'src/client/sync/push.ts',
    right: 'return { n, collection, id, op, base, at,',
    wrong: 'return { n: row.sent === true ? n + 1_000 : n, collection, id, op, base, at,',
  },
  {
    name: 'mutation number: one more is acknowledged than was answered',
    file: 'src/client/sync/push.ts',
    right: 'ackedThrough: (first?.value.n ?? numbers.n) - 1,',
    wrong: 'ackedThrough: first?.value.n ?? numbers.n,',
  },
  {
    name: 'rebase: an edit goes on top of what somebody else wrote as if its writer had seen it',
    file: 'src/client/outbox/rebase.ts',
    right: 'if (sameFields(row.baseFields, under)) return row',
    wrong: 'return row',
  },
  {
    name: 'rebase: rows that were sent get another base',
    file: 'src/client/outbox/rebase.ts',
    right: '|| chain.rows.some(({ sent }) => sent === true)) return chain',
    wrong: ') return chain',
  },
  {
    name: 'server: a number that was decided is decided again',
    file: 'src/storage/client-ledger.ts',
    right: 'return ledger.added.has(n) || isDecided(ledger.decided, n)',
    wrong: 'return ledger.added.has(n)',
  },
  {
    name: 'server: a cursor from before the horizon goes on',
    file: 'src/storage/pull.ts',
    right: '(horizons.get(name) ?? 0) > complete',
    wrong: '(horizons.get(name) ?? 0) > complete * 2',
  },
  {
    name: 'server: where both changed a field the later one wins',
    file: 'src/engine/join-records.ts',
    right: "if (joined.kind === 'conflict') return joined\n      fields[name] = joined.value",
    wrong: "fields[name] = joined.kind === 'conflict' ? mine : joined.value",
  },
  {
    name: 'server: of two who count at once one counts',
    file: 'src/engine/join-records.ts',
    right: 'asNumber(server) + asNumber(client) - asNumber(base)',
    wrong: 'Math.max(asNumber(server), asNumber(client))',
  },
  {
    name: 'server: a log that was put back is taken for its own',
    file: 'src/storage/pull.ts',
    right: "if (chain !== cursor.chain) throw resync('diverged')",
    wrong: "if (chain.length !== cursor.chain.length) throw resync('diverged')",
  },
  {
    name: 'restore: what was accepted is not offered again',
    file: 'src/client/sync/offer-acked.ts',
    right: 'if (acked === undefined || chain.conflict !== undefined',
    wrong: 'if (acked !== undefined || chain.conflict !== undefined',
  },
  {
    name: 'choice: it counts for a side that its maker has not seen',
    file: 'src/client/choices.ts',
    right: 'if (!sameFields(conflict.mine, mine) || !sameFields(conflict.theirs, theirs)) return undefined',
    wrong: 'if (!sameFields(conflict.mine, mine)) return undefined',
  },
]
