import { parentPort } from 'node:worker_threads'
import { readPage, type Page } from './read-page.ts'

/** One page and one answer at a time, away from the thread that serves requests. */
parentPort?.on('message', (page: Page) => parentPort?.postMessage(readPage(page)))
