import { answerParent } from './child.ts'
import { openPool } from './load.ts'

/** Reads snapshots in a process of its own, as another device does, so that it takes no time from what is measured beside it. */
answerParent({ ready: true }, async (question) => {
  const { url, headers } = question as { readonly kind: 'read' } & SnapshotOf
  const started = performance.now()
  return { ...(await readSnapshot({ url, headers })), ms: performance.now() - started }
})

interface SnapshotOf {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** The head says how many records there are, the last line that all of them came. */
async function readSnapshot({ url, headers }: SnapshotOf): Promise<{ readonly records: number; readonly bytes: number }> {
  await using opened = openPool(url, 1)
  const { body } = await opened.pool.request({ method: 'GET', path: '/api/v1/bench/snapshot', headers: { ...headers } })
  let [head, last, bytes] = ['', Buffer.alloc(0) as Buffer, 0]
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (bytes === 0) head = chunk.toString('utf8').split('\n')[0] ?? ''
    bytes += chunk.byteLength
    last = chunk
  }
  const { snapshot } = JSON.parse(head) as { readonly snapshot: { readonly count: number } }
  if (!last.toString('utf8').endsWith('"}\n') || !last.includes('"cursor"')) throw new Error('The snapshot was cut.')
  return { records: snapshot.count, bytes }
}
