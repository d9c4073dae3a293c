/** `holdfast/react`: hooks over a client. React is the app's own. */
export { useConflicts } from '../react/use-conflicts.ts'
export { useList } from '../react/use-list.ts'
export type { Live } from '../react/use-live.ts'
export { useRecord } from '../react/use-record.ts'
export { useSyncStatus } from '../react/use-sync-status.ts'
