import type { StoreWriter } from './store.ts'

/** Brings a store from one format to the next, in the transaction that notes the new format. */
export type FormatStep = (writer: StoreWriter) => Promise<void>

/** The format of a local database: its number, and the steps from format 1 on. `steps[0]` leads from 1 to 2. */
export interface StoreFormat {
  readonly steps: readonly FormatStep[]
}

export const currentFormat: StoreFormat = { steps: [] }

export function formatNumber({ steps }: StoreFormat): number {
  return steps.length + 1
}

/** Runs the steps that a store of format `from` still needs. */
export async function migrateStore(writer: StoreWriter, format: StoreFormat, from: number): Promise<void> {
  for (const step of format.steps.slice(from - 1)) await step(writer)
}
