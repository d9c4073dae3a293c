import type { Call } from './load.ts'
import type { IdentifiedNote } from './note.ts'

/** How the same work is asked of a server. */
export interface Target {
  readonly name: 'holdfast' | 'floor'
  readonly url: string
  /** `device` is the number of the device that sends; it has a session of its own. */
  push(notes: readonly IdentifiedNote[], device: number): Call
  create(note: IdentifiedNote, device: number): Call
  get(id: string): Call
  list(limit: number): Call
  pull(cursor: string | undefined, limit: number): Call
}

export function floorTarget(url: string): Target {
  const mutations = (notes: readonly IdentifiedNote[]) => JSON.stringify({ mutations: notes.map(({ id, ...data }) => ({ id, data })) })
  return {
    name: 'floor',
    url,
    push: (notes) => ({ method: 'POST', path: '/push', headers: {}, body: mutations(notes) }),
    create: (note) => ({ method: 'POST', path: '/records', headers: {}, body: mutations([note]) }),
    get: (id) => ({ method: 'GET', path: `/records/${id}`, headers: {} }),
    list: (limit) => ({ method: 'GET', path: `/records?limit=${limit}`, headers: {} }),
    pull: (cursor, limit) => ({ method: 'GET', path: `/pull?limit=${limit}${cursor === undefined ? '' : `&cursor=${cursor}`}`, headers: {} }),
  }
}

/** Each device numbers its mutations, as the client does, so the server also keeps what makes a replay harmless. */
export function holdfastTarget(url: string, tokens: readonly string[]): Target {
  const numbers = tokens.map(() => 0)
  const headersOf = (device: number) => ({ authorization: `Bearer ${tokens[device % tokens.length]}` })
  const mutationOf = ({ id, ...data }: IdentifiedNote, n: number) => ({ n, collection: 'notes', id, op: 'put', base: 0, data })
  return {
    name: 'holdfast',
    url,
    push: (notes, device) => {
      const index = device % tokens.length
      const first = (numbers[index] ?? 0) + 1
      numbers[index] = first + notes.length - 1
      const body = { clientId: `bench-${index}`, ackedThrough: first - 1, mutations: notes.map((note, offset) => mutationOf(note, first + offset)) }
      return { method: 'POST', path: '/api/v1/bench/push', headers: headersOf(device), body: JSON.stringify(body) }
    },
    create: ({ id, ...data }, device) => ({ method: 'POST', path: '/api/v1/bench/records/notes', headers: headersOf(device), body: JSON.stringify({ id, data }) }),
    get: (id) => ({ method: 'GET', path: `/api/v1/bench/records/notes/${id}`, headers: headersOf(0) }),
    list: (limit) => ({ method: 'GET', path: `/api/v1/bench/records/notes?limit=${limit}`, headers: headersOf(0) }),
    pull: (cursor, limit) => ({ method: 'GET', path: `/api/v1/bench/pull?limit=${limit}${cursor === undefined ? '' : `&cursor=${cursor}`}`, headers: headersOf(0) }),
  }
}
