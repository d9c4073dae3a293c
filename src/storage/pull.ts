import type { CompiledApp } from '../app/compile-app.ts'
import type { Reader } from './database.ts'

export interface PullRequest {
  readonly app: CompiledApp
  readonly space: number
  readonly epoch: string
  readonly cursor: string | undefined
  readonly limit: number
  /** Names of collections; undefined for all that may be read. */
  readonly collections: readonly string[] | undefined
}

/** The answer of a pull as JSON text (`PullResponse`). Throws `Problem` 400 for a cursor that is not ours, 410 when it cannot be continued. */
export async function pull(_reader: Reader, _request: PullRequest): Promise<string> {
  throw new Error('soon')
}
