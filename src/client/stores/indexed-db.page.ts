import { deleteIndexedDbStore, indexedDbStore } from './indexed-db-store.ts'
import { storeContract } from './store-contract.ts'

/** Runs the contract in the page; the test reads the outcome. */
async function runContract(): Promise<{ title: string; failure: string | null }[]> {
  const outcomes: { title: string; failure: string | null }[] = []
  for (const [index, { title, run }] of storeContract().entries()) {
    const name = `contract-${index}`
    try {
      await run({ open: (format) => indexedDbStore(name, format) })
      outcomes.push({ title, failure: null })
    } catch (error) {
      outcomes.push({ title, failure: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
    }
    await deleteIndexedDbStore(name)
  }
  return outcomes
}

Object.assign(globalThis, { runContract })
