/**
 * Gathers what is asked for while an earlier batch is under way and does it together, `sizeMax` at most at a time. `work` answers in the order
 * of what it was given; when it fails, so does everything in that batch.
 */
export function createBatch<Item, Result>(sizeMax: number, work: (items: readonly Item[]) => Promise<readonly Result[]>): (item: Item) => Promise<Result> {
  const waiting: { readonly item: Item; resolve(result: Result): void; reject(error: unknown): void }[] = []
  let isRunning = false
  const run = async () => {
    isRunning = true
    // What is asked for in the same turn belongs together.
    for (await new Promise<void>((resolve) => setImmediate(resolve)); waiting.length > 0;) {
      const batch = waiting.splice(0, sizeMax)
      try {
        const results = await work(batch.map(({ item }) => item))
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isRunning = false
  }
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!isRunning) void run()
    })
}
