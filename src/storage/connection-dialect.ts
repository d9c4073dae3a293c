import {
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  PostgresIntrospector,
} from 'kysely'

/** Lets Kysely build and run queries on one connection whose transactions somebody else begins and ends. */
export function connectionDialect(name: 'sqlite' | 'postgres', connection: DatabaseConnection): Dialect {
  return {
    createDriver: () => driverOf(connection),
    createQueryCompiler: () => (name === 'sqlite' ? new SqliteQueryCompiler() : new PostgresQueryCompiler()),
    createAdapter: () => (name === 'sqlite' ? new SqliteAdapter() : new PostgresAdapter()),
    createIntrospector: (db: Kysely<unknown>) => (name === 'sqlite' ? new SqliteIntrospector(db) : new PostgresIntrospector(db)),
  }
}

function driverOf(connection: DatabaseConnection): Driver {
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    beginTransaction: () => refuse(),
    commitTransaction: () => refuse(),
    rollbackTransaction: () => refuse(),
    releaseConnection: async () => {},
    destroy: async () => {},
  }
}

function refuse(): never {
  throw new Error('Begin a transaction with Database.write: it owns the connection.')
}
