import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createMemoryShelf, memoryStore } from './memory-store.ts'
import { nodeSqliteStore, openNodeDriver } from './node-sqlite.ts'
import { sqliteStore, type SqliteDriver } from './sqlite-store.ts'
import { storeContract } from './store-contract.ts'

for (const { title, run } of storeContract()) {
  test(`SDK-1 ${title} (memory)`, async () => {
    const shelf = createMemoryShelf()
    await run({ open: (format) => memoryStore(shelf, format) })
  })
  test(`SDK-1 ${title} (node:sqlite)`, () => inFolder((path) => run({ open: (format) => nodeSqliteStore(path, format) })))
  test(`SDK-1 ${title} (a driver that answers later)`, () => inFolder((path) => run({ open: (format) => sqliteStore(() => later(openNodeDriver(path)), format) })))
}

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-store-'))
  try {
    await work(join(folder, 'device.db'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** As the drivers of phones do: every call answers with a promise, in a later turn. */
function later(driver: SqliteDriver): SqliteDriver {
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    exec: (sql) => turn().then(() => driver.exec(sql)),
    run: (sql, parameters) => turn().then(() => driver.run(sql, parameters)),
    all: (sql, parameters) => turn().then(() => driver.all(sql, parameters)),
    close: () => turn().then(() => driver.close()),
  }
}
