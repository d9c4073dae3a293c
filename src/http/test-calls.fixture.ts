import type { HostedApp } from './http-context.ts'
import { diaryApp } from '../testing/diary-app.ts'
import type { TestServer } from '../testing/open-test-server.ts'

/** The JSON of an answer; what a test expects in it, it asserts. */
export type Body = { readonly [name: string]: Body } & readonly Body[]

/** An answer with its JSON. */
export interface Answered {
  readonly status: number
  readonly body: Body
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

/** The declared test app as a server runs it. */
export const hostedDiary: HostedApp = { app: diaryApp, rules: {} }

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Sends one request in process, as whoever the headers say. */
export async function call(world: TestServer, headers: Readonly<Record<string, string>>, method: Method, url: string, body?: unknown): Promise<Answered> {
  const sent = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }
  const typed = body === undefined ? {} : { 'content-type': 'application/json' }
  const answer = await world.http.inject({ method, url, headers: { ...typed, ...headers }, ...sent })
  const isJson = /^application\/(problem\+)?json/.test(String(answer.headers['content-type'] ?? ''))
  return { status: answer.statusCode, body: (isJson && answer.body !== '' ? JSON.parse(answer.body) : {}) as Body, headers: answer.headers, text: answer.body }
}
