import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { SqliteDriver } from './sqlite-store.ts'
import { sqliteStore } from './sqlite-store.ts'
import type { OpenStore } from './store.ts'
import { currentFormat, type StoreFormat } from './store-format.ts'

/** A store in a file, for Node and Electron. Several processes may open the same file. */
export function nodeSqliteStore(path: string, format: StoreFormat = currentFormat): OpenStore {
  return sqliteStore(() => openNodeDriver(path), format)
}

/** The driver over `node:sqlite`: each statement is prepared once. */
export function openNodeDriver(path: string): SqliteDriver {
  const database = new DatabaseSync(path)
  const statements = new Map<string, StatementSync>()
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const made = database.prepare(sql)
    statements.set(sql, made)
    return made
  }
  return {
    exec: (sql) => {
      if (sql.startsWith('PRAGMA') || sql.startsWith('CREATE')) database.exec(sql)
      else prepared(sql).run()
    },
    run: (sql, parameters) => {
      prepared(sql).run(...parameters)
    },
    all: (sql, parameters) => prepared(sql).all(...parameters),
    close: () => database.close(),
  }
}
