import { createClient } from '../client.ts'
import { diary } from '../diary-app.fixture.ts'
import { deleteIndexedDbStore, indexedDbStore } from '../stores/indexed-db-store.ts'

/** Databases that this page has open, so that a test can close them under the client. */
const handles: IDBDatabase[] = []
const openNormally = IDBFactory.prototype.open
IDBFactory.prototype.open = function open(name: string, version?: number) {
  const request = openNormally.call(this, name, version)
  request.addEventListener('success', () => handles.push(request.result))
  return request
}

const client = createClient({ url: location.origin, app: diary, store: indexedDbStore('diary') })
const seen: string[][] = []
client.notes.watch({ sort: 'title' }, (items) => seen.push(items.map(({ data }) => data.title)))

Object.assign(globalThis, {
  client,
  seen,
  closeDatabases: () => {
    for (const handle of handles.splice(0)) handle.close()
  },
  openNewerFormat: () =>
    new Promise<void>((resolve, reject) => {
      const request = openNormally.call(indexedDB, 'diary', 99)
      request.onsuccess = () => resolve(request.result.close())
      request.onerror = () => reject(request.error)
    }),
  deleteIndexedDbStore,
})
