import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerParent } from './child.ts'
import type { IdentifiedNote } from './note.ts'
import { RawTable } from './raw-table.ts'

/**
 * The bare floor: the smallest server that stores the same records durably. No accounts, no checks, no log, no conflicts,
 * one transaction and one flush for each request.
 */
const [path = ''] = process.argv.slice(2)
const table = new RawTable(path)

async function bodyOf(request: IncomingMessage): Promise<{ mutations: { id: string; data: Omit<IdentifiedNote, 'id'> }[] }> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as { mutations: { id: string; data: Omit<IdentifiedNote, 'id'> }[] }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://floor')
  const limit = Number(url.searchParams.get('limit') ?? 100)
  if (request.method === 'POST') {
    const { mutations } = await bodyOf(request)
    return send(response, 200, { version: table.insert(mutations.map(({ id, data }) => ({ id, ...data }))) })
  }
  if (url.pathname === '/pull') {
    const changes = table.scan(Number(url.searchParams.get('cursor') ?? 0), limit)
    return send(response, 200, { changes, cursor: changes.at(-1)?.version ?? 0 })
  }
  if (url.pathname === '/records') return send(response, 200, { records: table.list(url.searchParams.get('after') ?? '', limit) })
  const record = table.get(url.pathname.slice('/records/'.length))
  return record === undefined ? send(response, 404, {}) : send(response, 200, record)
}

const server = createServer((request, response) => void answer(request, response))
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  answerParent({ ready: true }, async () => ({ url: `http://127.0.0.1:${port}` }))
})
