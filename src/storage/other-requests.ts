/** An embedded database answers without waiting, so the event loop must be given its turn in the middle of long work. */
export function otherRequests(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
