import type { Fields, JsonValue, Scope } from 'holdfast'
import { forgetHistory, SPACE_RESTORED } from 'holdfast/server'
import { openTestServer, type TestServer, type TestUser as Account } from 'holdfast/testing'
import type { AnswerBody } from './answer-body.ts'
import { seed } from './seed.ts'
import { hosted } from './server.ts'

/** A journal server of a test's own, spoken to as clients do. */
export interface TestJournal extends AsyncDisposable {
  readonly server: TestServer
  now(): number
  advance(ms: number): void
  restart(): Promise<void>
  signUp(device?: string): Promise<TestUser>
  /** Sends a request as it is, without a credential of its own. */
  send(request: TestRequest): Promise<Answer>
  /** Public ids of personal spaces by their owner. */
  spaceIds(): Promise<ReadonlyMap<string, string>>
  /** Forgets a tombstone as the purge does. */
  purge(userId: string, collection: string, tombstone: { readonly id: string; readonly version: number }): Promise<void>
  /** Forgets what is older than the history is kept, as the purge does. */
  forgetHistory(): Promise<number>
  /** What a restore from a backup leaves in the log of the user's space. */
  restored(userId: string): Promise<void>
  seed(userId: string): Promise<Readonly<Record<string, number>>>
  /** A file's row as the upload leaves it. */
  addMedia(userId: string, file: { readonly id: string; readonly contentId: string }): Promise<void>
  /** What the doorbell says while something is done. */
  nextPoke(act: () => Promise<unknown>): Promise<{ readonly from: number; readonly to: number }>
}

export interface TestRequest {
  readonly method: string
  readonly path: string
  /** A text is sent as it is, all else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  /** Null when there is none; a page is under `text`. */
  readonly body: AnswerBody
}

export interface TestUser extends Account {
  /** Calls the dialect under `/journal`, or the platform under `/api`. */
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  onDevice(device: string): Promise<TestUser>
}

/** Opens a test journal; `await using` closes and removes it. */
export async function openTestJournal(options: { readonly environment?: Readonly<Record<string, string>> } = {}): Promise<TestJournal> {
  const server = await openTestServer({ apps: [hosted], ...options })
  const send = async ({ method, path, body, headers = {} }: TestRequest): Promise<Answer> => {
    const sent = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }
    const answer = await server.http.inject({ method: method as 'GET', url: path, headers, ...sent })
    const isJson = String(answer.headers['content-type']).includes('json')
    // What the body holds is what the test is about.
    const read = (answer.body === '' ? null : isJson ? JSON.parse(answer.body) : { text: answer.body }) as AnswerBody
    return { status: answer.statusCode, headers: answer.headers, body: read }
  }
  const userOf = (account: Account): TestUser => ({
    ...account,
    call: (method, path, body, headers = {}) => send({ method, path: path.startsWith('/api/') ? path : `/journal${path}`, body, headers: { ...account.headers, ...headers } }),
    onDevice: async (device) => userOf(await server.signIn(account.email, device)),
  })
  const spaceOf = async (userId: string): Promise<number> => {
    const [row] = await server.database.read((reader) => reader.all<{ space: number }>("SELECT space FROM holdfast_spaces WHERE app = 'journal' AND name = ?", [userId]))
    if (row === undefined) throw new Error('The user has not used the journal yet.')
    return row.space
  }
  const scopeOf = async (userId: string): Promise<Scope> => {
    return { actor: { type: 'user', id: userId, name: 'test' }, device: 'uploader', app: 'journal', space: await spaceOf(userId), role: 'owner', requestId: 'test' }
  }
  let accounts = 0
  return {
    server,
    now: () => server.chance.now(),
    advance: (ms) => server.advance(ms),
    restart: () => server.restart(),
    signUp: async (device) => userOf(await server.register(`person${(accounts += 1)}@journal.example`, device)),
    send,
    spaceIds: async () => {
      const rows = await server.database.read((reader) => reader.all<{ name: string; id: string }>("SELECT name, id FROM holdfast_spaces WHERE app = 'journal'"))
      return new Map(rows.map(({ name, id }) => [name, id]))
    },
    purge: async (userId, collection, { id, version }) => {
      const space = await spaceOf(userId)
      await server.database.write(async (tx) => {
        await tx.run(`DELETE FROM journal_${collection} WHERE space = ? AND id = ?`, [space, id])
        await tx.run('INSERT INTO holdfast_horizons (space, collection, version) VALUES (?, ?, ?)', [space, collection, version])
      })
    },
    forgetHistory: () => forgetHistory(server.database, { app: 'journal', before: server.chance.now() - (hosted.historyKeptMs?.({}) ?? 0) }),
    restored: async (userId) => {
      const events = [{ action: SPACE_RESTORED, entity: 'spaces', entityId: userId, detail: {} }]
      await server.context.commit(await scopeOf(userId), { mutations: [], keepRejected: false, keepConflicts: false, events })
    },
    seed: async (userId) => seed(server.context, await scopeOf(userId)),
    addMedia: async (userId, { id, contentId }) => {
      const scope = await scopeOf(userId)
      const complete: Fields = { ...file, contentId }
      const { outcomes } = await server.context.commit(scope, {
        mutations: [{ collection: 'media', id, op: 'put', base: 'any', sent: complete, complete, trusted: true }],
        keepRejected: false,
        keepConflicts: false,
      })
      if (outcomes[0]?.status !== 'applied') throw new Error(`The file was not stored: ${JSON.stringify(outcomes)}`)
    },
    nextPoke: async (act) => {
      const heard = Promise.withResolvers<{ readonly from: number; readonly to: number }>()
      const stop = server.context.doorbell.listen(heard.resolve)
      await act()
      stop()
      return heard.promise
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const file: Fields = {
  fileName: 'a.png',
  mimeType: 'image/png',
  sizeBytes: 5,
  sha256: 'a'.repeat(64),
  width: null,
  height: null,
  state: 'stored',
  stateReason: null,
  deviceId: 'uploader',
  removedBy: null,
}

/** A valid body of a note. */
export function note(id: string, fields: Readonly<Record<string, JsonValue>> = {}): Readonly<Record<string, JsonValue>> {
  return { id, type: 'TEXT', content: 'text', createdAt: 1_000, lastUpdated: 1_000, ...fields }
}
