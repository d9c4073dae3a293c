import type { Fields } from '../../app/conflict-policy.ts'
import type { CollectionInfo } from '../collection-info.ts'

/** What stands between this device's records and those of the server. Only encrypted collections are changed by it. */
export interface Codec {
  /** The record that the server keeps; undefined while the key for it is missing. */
  seal(collection: CollectionInfo, id: string, fields: Fields): Promise<Fields | undefined>
  /** The record that the app sees. Throws `UnreadableError`. */
  open(collection: CollectionInfo, id: string, sealed: Fields): Promise<Fields>
  /** True when records of the collection can be sent. */
  ready(collection: CollectionInfo): boolean
}

/** A record of the server that cannot be read here, such as one under a key that this device does not have. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError'
}

/** For clients without keys: encrypted records wait, and are put aside. */
export const plainCodec: Codec = {
  seal: async (collection, _id, fields) => (collection.encrypted ? undefined : fields),
  open: async (collection, _id, sealed) => {
    if (collection.encrypted) throw new UnreadableError('This collection is encrypted and the client has no key.')
    return sealed
  },
  ready: (collection) => !collection.encrypted,
}
