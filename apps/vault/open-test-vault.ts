import type { JsonValue, Scope } from 'holdfast'
import { openTestServer, type TestServer, type TestServerOptions, type TestUser as Account } from 'holdfast/testing'
import { hosted } from './server.ts'

/** A vault server of a test's own, spoken to as clients do. */
export interface TestVault extends AsyncDisposable {
  readonly server: TestServer
  advance(ms: number): void
  restart(changed?: Partial<TestServerOptions>): Promise<void>
  signUp(device?: string): Promise<TestUser>
  /** Sends a request as it is, without a credential of its own. */
  send(request: TestRequest): Promise<Answer>
  /** The owner's scope in the user's space; the space is made if need be. */
  scopeOf(user: TestUser): Promise<Scope>
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
  /** What JSON there is: a test names what it looks at. Null without a body; another text is under `text`. */
  readonly body: Body
}

/** The answer of some route: what a test reads of it must be there, or the test fails. */
export interface Body extends Readonly<Record<string, JsonValue>> {
  readonly error: { readonly code: string; readonly message: string; readonly requestId: string; readonly details: Readonly<Record<string, JsonValue>> }
}

export interface TestUser extends Account {
  /** Calls the dialect under `/vault`, or the platform under `/api`. */
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  onDevice(device: string): Promise<TestUser>
}

/** Opens a test vault with the stub as provider; `await using` closes and removes it. Jobs run when the test says `server.runner.runOnce()`. */
export async function openTestVault(options: Partial<TestServerOptions> = {}): Promise<TestVault> {
  const environment = { HOLDFAST_VAULT_AI: 'stub', ...options.environment }
  const server = await openTestServer({ apps: [hosted], ...options, environment })
  const send = async ({ method, path, body, headers = {} }: TestRequest): Promise<Answer> => {
    const sent = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }
    const answer = await server.http.inject({ method: method as 'GET', url: path, headers, ...sent })
    const isJson = String(answer.headers['content-type']).includes('json')
    // What the body holds is what the test is about.
    const read = (answer.body === '' ? null : isJson ? JSON.parse(answer.body) : { text: answer.body }) as Body
    return { status: answer.statusCode, headers: answer.headers, body: read }
  }
  const userOf = (account: Account): TestUser => ({
    ...account,
    call: (method, path, body, headers = {}) => send({ method, path: path.startsWith('/api/') ? path : `/vault${path}`, body, headers: { ...account.headers, ...headers } }),
    onDevice: async (device) => userOf(await server.signIn(account.email, device)),
  })
  const spaceOf = async ({ userId }: TestUser): Promise<number | undefined> => {
    const [row] = await server.database.read((reader) => reader.all<{ space: number }>("SELECT space FROM holdfast_spaces WHERE app = 'vault' AND name = ?", [userId]))
    return row?.space
  }
  let accounts = 0
  return {
    server,
    advance: (ms) => server.advance(ms),
    restart: (changed) => server.restart(changed),
    signUp: async (device) => userOf(await server.register(`person${(accounts += 1)}@vault.example`, device)),
    send,
    scopeOf: async (user) => {
      if ((await spaceOf(user)) === undefined) await user.call('GET', '/api/v1/vault/pull')
      const space = await spaceOf(user)
      if (space === undefined) throw new Error('The user has no space.')
      return { actor: { type: 'user', id: user.userId, name: 'test' }, device: 'test', app: 'vault', space, role: 'owner', requestId: 'test' }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
