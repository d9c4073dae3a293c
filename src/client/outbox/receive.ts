import type { Fields } from '../../app/conflict-policy.ts'
import type { ConflictRow, RecordOrigin } from '../model.ts'
import { resolve } from './acknowledge.ts'
import { sameFields } from './apply-row.ts'
import { facing, type Chain } from './chain.ts'
import { putOnOlder, rebase } from './rebase.ts'

/** The server's state of a record. `fields` are null for a tombstone. */
export interface Received {
  readonly version: number
  readonly fields: Fields | null
  readonly origin: RecordOrigin | undefined
}

/** Who tells the server what a state that was read has decided. */
export interface Teller {
  readonly owner: string | null
  nextNumber(): number
}

/** Takes the server's state of a record: without a local edit it replaces what is here, else edits are put on top of it. */
export function receive(chain: Chain, { version, fields, origin }: Received, teller: Teller): Chain {
  if (chain.version === version && sameFields(chain.server, fields)) return chain
  const heard = { ...chain, version, server: fields, origin }
  if (chain.conflict === undefined && chain.rows.some(({ base }) => base > version)) return putOnOlder(heard)
  return chain.conflict === undefined ? rebase(heard) : heardInConflict(heard, chain.conflict, teller)
}

/** The other side of a conflict has moved on; where it now says the same as this one, there is nothing left to choose, and the server is told so. */
function heardInConflict(chain: Chain, conflict: ConflictRow, { owner, nextNumber }: Teller): Chain {
  if (sameFields(conflict.mine, chain.server) && chain.rows.length === 0) return resolve(chain, chain.server, { n: nextNumber(), at: conflict.mineAt, owner })
  return facing(chain, conflict)
}
