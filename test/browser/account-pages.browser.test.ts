import assert from 'node:assert/strict'
import { test } from 'node:test'
import chromium from '@sparticuz/chromium'
import { chromium as playwright } from 'playwright-core'
import { openTestServer } from '../../src/testing/open-test-server.ts'

test('PAGE-1 The set-up and reset links lead to pages that do what they say, with no script of their own inline', async () => {
  await using world = await openTestServer({ apps: [], publicUrl: undefined })
  const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: [...chromium.args, '--disable-background-networking'], headless: true })
  try {
    const page = await browser.newPage()
    const faults: string[] = []
    page.on('console', (message) => (message.type() === 'error' ? faults.push(message.text()) : undefined))
    const open = async (link: string) => page.goto(`${world.url}${link}`)
    const fill = async (password: string, again: string) => {
      await page.fill('[name=password]', password)
      await page.fill('[name=again]', again)
      await page.click('button')
    }
    const message = () => page.textContent('#message')
    const isDone = () => page.locator('form').waitFor({ state: 'hidden' })

    await open((await world.accounts.setupLink())?.url ?? '')
    await page.fill('[name=email]', 'ada@example.org')
    await fill('correct horse', 'another horse')
    assert.equal(await message(), 'The two passwords differ.')
    await fill('correct horse', 'correct horse')
    await isDone()
    assert.match((await message()) ?? '', /You are the admin/)
    assert.equal((await world.accounts.login({ email: 'ada@example.org', password: 'correct horse' })).user.role, 'admin')

    world.accounts.requestReset('ada@example.org')
    await world.accounts.settled()
    const [, link = ''] = /(\/account\/reset#token=\S+)/.exec(world.mails.at(-1) ?? '') ?? []
    await open(link)
    await fill('a new password', 'a new password')
    await isDone()
    assert.equal((await world.accounts.login({ email: 'ada@example.org', password: 'a new password' })).user.email, 'ada@example.org')

    await open(link)
    await page.reload()
    await fill('once more, please', 'once more, please')
    await page.locator('#message.error').waitFor()
    assert.match((await message()) ?? '', /used or has expired/)
    // The browser itself reports the refused request of the used link, and nothing else.
    assert.deepEqual(
      faults.filter((text) => !text.includes('400')),
      [],
    )
  } finally {
    await browser.close()
  }
})
