import { parentPort } from 'node:worker_threads'
import { extract } from './extract.ts'
import type { EnrichInput } from './provider.ts'

/** One question and one answer at a time, away from the thread that serves requests. */
parentPort?.on('message', (input: EnrichInput) => parentPort?.postMessage(extract(input)))
