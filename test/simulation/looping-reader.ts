import assert from 'node:assert/strict'
import type { PullResponse } from '../../src/protocol/pull.ts'
import { collectionNames } from './simulated-app.ts'
import { SERVER_URL } from './simulated-device.ts'
import type { SimulatedServer } from './simulated-server.ts'

const PAGE = 3

export interface ReaderParts {
  readonly server: SimulatedServer
  /** Whose space it reads. */
  user(): string
  token(): Promise<string>
}

/** A program that only reads, page by page from its cursor, and keeps the version of every record that it was told of. */
export class LoopingReader {
  readonly #parts: ReaderParts
  #cursor: string | undefined
  #version = 0
  readonly #known = new Map<string, number>()

  constructor(parts: ReaderParts) {
    this.#parts = parts
  }

  /** Reads one page. At a checkpoint it has exactly what the server has. */
  async read(): Promise<void> {
    const query = new URLSearchParams({ limit: String(PAGE), collections: collectionNames.join(','), ...(this.#cursor === undefined ? {} : { cursor: this.#cursor }) })
    const headers = { authorization: `Bearer ${await this.#parts.token()}` }
    const [answer] = await this.#parts.server.handle([{ method: 'GET', url: `${SERVER_URL}/api/v1/simulation/pull?${query}`, headers, signal: new AbortController().signal }])
    if (answer === undefined) return
    if (answer.status === 410) return this.#restart()
    assert.equal(answer.status, 200, answer.body)
    const { changes, cursor, more } = JSON.parse(answer.body) as PullResponse
    for (const { collection, id, version, deleted } of changes) {
      assert.ok(version > this.#version, `The reader was given version ${version} behind ${this.#version}.`)
      this.#version = version
      if (deleted) this.#known.delete(`${collection}/${id}`)
      else this.#known.set(`${collection}/${id}`, version)
    }
    this.#cursor = cursor
    if (!more) assert.deepEqual(Object.fromEntries(this.#known), this.#stored(), 'A reader at a checkpoint does not have what the server has.')
  }

  #stored(): Record<string, number> {
    const { server, user } = this.#parts
    const [space] = server.query<{ space: number }>("SELECT space FROM holdfast_spaces WHERE app = 'simulation' AND owner_id = ?", user())
    const rows = collectionNames.flatMap((name) =>
      server.query<{ place: string; version: number }>(`SELECT '${name}/' || id AS place, version FROM simulation_${name} WHERE space = ? AND deleted_at IS NULL`, space?.space ?? 0),
    )
    return Object.fromEntries(rows.map(({ place, version }) => [place, version]))
  }

  #restart(): void {
    this.#cursor = undefined
    this.#version = 0
    this.#known.clear()
  }
}
