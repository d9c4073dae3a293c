import { existsSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'
import { StartFailure } from '../../server/start-failure.ts'
import { exitCodes, type Call, type Command } from '../command.ts'

export const command: Command = {
  summary: 'Makes a new project with one app in a folder.',
  about: 'The folder must be new or empty: nothing is overwritten.',
  args: ['folder'],
  options: {},
  run,
}

const own = createRequire(import.meta.url)('../../../package.json') as { readonly version: string; readonly dependencies: Readonly<Record<string, string>> }

/** The Node that a new project brings from npm, so that it starts wherever Holdfast itself does. */
const NODE_VERSION = '24.21.0'

async function run({ args: [wanted = '.'], terminal }: Call): Promise<number> {
  const folder = resolve(terminal.folder, wanted)
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new StartFailure(`${folder} is not empty. Give a new folder; nothing was written.`)
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries(filesOf(basename(folder)))) {
    await writeFile(join(folder, name), text, { flag: 'wx' })
    terminal.out(name)
  }
  terminal.tell(`\nMade ${folder}. Next:\n  cd ${wanted}\n  npm install\n  npm start`)
  return exitCodes.ok
}

function filesOf(name: string): Readonly<Record<string, string>> {
  return {
    'package.json': `${JSON.stringify(
      {
        name:
          name
            .toLowerCase()
            .replaceAll(/[^a-z0-9-]+/g, '-')
            .replaceAll(/^-+|-+$/g, '') || 'my-holdfast',
        private: true,
        type: 'module',
        engines: { node: '>=24' },
        // Its install step puts the program in place; newer versions of npm run only those that are named.
        allowScripts: { node: true },
        scripts: { start: 'holdfast serve', holdfast: 'holdfast' },
        dependencies: { holdfast: `^${own.version}`, node: NODE_VERSION, zod: own.dependencies['zod'] },
      },
      null,
      2,
    )}\n`,
    'app.ts': app,
    'holdfast.config.ts': config,
    '.gitignore': 'node_modules/\nholdfast-data/\n',
    'README.md': readme,
  }
}

const app = `import { collection, defineApp } from 'holdfast'
import { z } from 'zod'

/** What is kept, and how it merges. Server and client share this file. */
export const notes = defineApp({
  name: 'notes',
  collections: {
    notes: collection(
      z.object({
        title: z.string().max(200),
        body: z.string().max(100_000).default(''),
        tags: z.array(z.string().max(40)).max(20).default([]),
        done: z.boolean().default(false),
      }),
      { fields: { tags: 'set' }, indexes: [['title']] },
    ),
  },
})
`

const config = `import { defineConfig, hostApp } from 'holdfast/server'
import { notes } from './app.ts'

export default defineConfig({ apps: [hostApp({ app: notes })] })
`

const readme = `# Notes

An offline-first backend of one file: \`app.ts\` says what is kept.

    npm install
    npm start

The first start prints a link that makes the first admin. The API is at http://127.0.0.1:8787/docs; data is in \`holdfast-data/\`.

On a device, with the same declaration:

    import { createClient, memoryStore } from 'holdfast/client'
    import { notes } from './app.ts'

    const client = createClient({ url: 'http://127.0.0.1:8787', app: notes, store: memoryStore() })
    await client.signIn({ email: 'you@example.org', password: '…' })
    await client.notes.add({ title: 'Written offline' })
    await client.sync()
`
