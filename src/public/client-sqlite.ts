/** `holdfast/client/sqlite`: the client's store in an SQLite file, over `node:sqlite`. For Node and Electron. */
export { nodeSqliteStore, openNodeDriver } from '../client/stores/node-sqlite.ts'
