import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import chromium from '@sparticuz/chromium'
import { chromium as playwright, type Browser, type Page } from 'playwright-core'
import { notes } from '../../examples/quick-start/app.ts'
import { hostApp } from '../../src/http/host-app.ts'
import { openTestServer } from '../../src/testing/open-test-server.ts'

test('DEMO-3 The quick starts for the browser and for React write without a network, sync in a real Chromium, and show what the other wrote', async () => {
  await using world = await openTestServer({ apps: [hostApp({ app: notes })] })
  await using pages = await servePages()
  await world.restart({ corsOrigins: [pages.origin] })
  const browsers: Browser[] = []
  try {
    // A browser of its own for each, as on two devices.
    const open = async (name: string): Promise<Page> => {
      const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args, headless: true })
      browsers.push(browser)
      const page = await (await browser.newContext()).newPage()
      await page.goto(`${pages.origin}/${name}.html?server=${encodeURIComponent(world.url)}`)
      await page.locator('li, output').first().waitFor()
      return page
    }
    const plain = await open('browser')
    await write(plain, 'before signing in')
    await shows(plain, 'before signing in (waiting)')
    await signIn(plain)
    await shows(plain, 'before signing in (synced)')
    const react = await open('react')
    await signIn(react)
    await shows(react, 'before signing in (synced)')
    await react.context().setOffline(true)
    await write(react, 'in the tunnel')
    await shows(react, 'in the tunnel (waiting)')
    await react.getByText('offline').waitFor()
    await react.context().setOffline(false)
    await shows(react, 'in the tunnel (synced)')
    await shows(plain, 'in the tunnel (synced)')
    await plain.getByText('up-to-date').waitFor()
    const rows = await world.database.read((reader) => reader.all<{ title: string }>('SELECT title FROM notes_notes ORDER BY title'))
    assert.deepEqual(
      rows.map(({ title }) => title),
      ['before signing in', 'in the tunnel'],
    )
  } finally {
    for (const browser of browsers) await browser.close()
  }
})

const shows = (page: Page, text: string) => page.locator('li', { hasText: text }).waitFor()

async function write(page: Page, title: string): Promise<void> {
  await page.fill('[name=title]', title)
  await page.getByRole('button', { name: 'Add' }).click()
}

async function signIn(page: Page): Promise<void> {
  await page.fill('[name=email]', 'ada@example.org')
  await page.fill('[name=password]', 'correct horse')
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** The command of the guide, on a free port. */
async function servePages(): Promise<AsyncDisposable & { readonly origin: string }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../examples/quick-start/serve-pages.ts', import.meta.url)), '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return {
    origin: new URL(line).origin,
    [Symbol.asyncDispose]: async () => {
      child.kill()
      await ended
    },
  }
}
