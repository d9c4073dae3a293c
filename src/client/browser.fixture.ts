import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import chromium from '@sparticuz/chromium'
import { build } from 'esbuild'
import { chromium as playwright, type Browser, type BrowserContext } from 'playwright-core'

/** A real Chromium on a page of its own origin. */
export interface TestBrowser extends AsyncDisposable {
  readonly origin: string
  /** Tabs of one profile share what is stored. */
  readonly context: BrowserContext
  readonly browser: Browser
}

export interface BrowserOptions {
  /** A module that the page runs; from this folder. */
  readonly entry: string
  /** Answers what the page asks for below `/api/`. */
  readonly api?: (request: IncomingMessage, response: ServerResponse) => void
}

/** Serves a module, bundled as an app would, and opens a browser for it. Pages are opened at `origin`. */
export async function openTestBrowser({ entry, api }: BrowserOptions): Promise<TestBrowser> {
  const script = await bundle(entry)
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/api/') === true && api !== undefined) return api(request, response)
    if (request.url === '/page.js') return void response.setHeader('content-type', 'text/javascript').end(script)
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>Test</title><script type="module" src="/page.js"></script>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args, headless: true })
  const context = await browser.newContext()
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    context,
    browser,
    [Symbol.asyncDispose]: async () => {
      await browser.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function bundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [new URL(entry, import.meta.url).pathname],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    supported: { using: false },
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  })
  return result.outputFiles[0]?.text ?? ''
}
