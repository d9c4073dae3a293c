import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { errorsPage } from './errors-page.ts'
import { isTest, readSourceFiles, type SourceFile } from './source-files.ts'

const files = readSourceFiles()
const LINES_MAX = 400

/** A folder may import from the folders before it, and from itself. */
const layers = ['lib', 'protocol', 'app', 'engine', 'fetch', 'auth', 'media', 'jobs', 'audit', 'export', 'search', 'realtime', 'storage', 'http', 'server', 'cli']
/** Folders that run in browsers too, and what they may import. */
const browserLayers: Readonly<Record<string, readonly string[]>> = {
  client: ['lib', 'protocol', 'app', 'engine', 'client'],
  react: ['lib', 'protocol', 'app', 'engine', 'client', 'react'],
  adapters: ['lib', 'protocol', 'app', 'engine', 'client', 'adapters'],
}
/** Files of browser folders that are for Node alone and are reached by a subpath of their own. */
const nodeOnly = /node-sqlite|\/testing\/|\.test\.|\.fixture\./

test('TIDY-1 A folder imports only leftwards', () => {
  const wrong = files
    .filter(({ path }) => path.startsWith('src/') && !isTest(path))
    .flatMap((file) => file.imports.filter((name) => !mayImport(file, name)).map((name) => `${file.path} imports ${name}`))
  assert.deepEqual(wrong, [], 'Move the shared part to the left, or hand it in as a parameter.')
})

test('TIDY-2 Apps and examples import only the public subpaths', () => {
  const wrong = files
    .filter(({ path }) => /^(apps|examples|console)\//.test(path))
    .flatMap((file) => file.imports.filter((name) => name.startsWith('src/')).map((name) => `${file.path} imports ${name}`))
  assert.deepEqual(wrong, [], 'Import from `holdfast`, `holdfast/server`, `holdfast/client` or `holdfast/testing`; export there what is missing.')
})

test('TIDY-3 What runs in browsers imports nothing of Node', () => {
  const wrong = files
    .filter(({ path }) => /^src\/(lib|protocol|app|engine|client|react|adapters)\//.test(path) && !isTest(path) && !nodeOnly.test(path))
    .flatMap((file) => file.imports.filter((name) => name.startsWith('node:')).map((name) => `${file.path} imports ${name}`))
  assert.deepEqual(wrong, [], 'Hand the need in as a port.')
})

test('TIDY-4 The clock and chance are handed in', () => {
  const allowed = /^(src\/server\/(start|open-core)\.ts|src\/client\/client\.ts|src\/client\/testing\/|src\/testing\/|src\/cli\/|bench\/|examples\/|tools\/|test\/)/
  const wrong = files
    .filter(({ path }) => !allowed.test(path) && !isTest(path))
    .flatMap(({ path, text }) =>
      lines(text)
        .filter((line) => /\bDate\.now\(|\bMath\.random\(|\bnew Date\(\)/.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    )
  assert.deepEqual(wrong, [], 'Take `now()` and ids from what the function is given.')
})

/** What opens connections. Types, and telling addresses apart, open none. */
const clients =
  /(?<![.\w])(?:fetch|XMLHttpRequest|WebSocket|EventSource)\(|(?:from |import\(|require\(|^import )'(?:node:)?(?:https?|http2|net|tls|dgram|dns|dns\/promises|undici|axios|got|ky|node-fetch|ws|needle|superagent|request)'/
const opensNothing = /^\s*(?:\*|\/\/|import type )|^import \{ (?:isIP|isIPv4|isIPv6)(?:, (?:isIP|isIPv4|isIPv6))* \} from 'node:net'/

test('TIDY-5 The server asks nobody but through the guarded client', () => {
  const allowed: ReadonlySet<string> = new Set([
    // The script of a page: that runs in a browser.
    'src/http/account-pages.ts',
    // The provider that the operator configured, at the address that the operator gave.
    'apps/vault/worker/exchange.ts',
  ])
  const wrong = files
    .filter(({ path }) => /^(src|apps)\//.test(path) && !/^src\/(client|react|adapters|fetch|testing)\//.test(path) && !allowed.has(path) && !isTest(path))
    .flatMap(({ path, text }) =>
      lines(text)
        .filter((line) => clients.test(line) && !opensNothing.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    )
  assert.deepEqual(wrong, [], 'Use the guarded client of src/fetch.')
})

test('TIDY-6 No file is longer than 400 lines', () => {
  assert.deepEqual(
    files.filter(({ text }) => lines(text).length > LINES_MAX).map(({ path, text }) => `${path}: ${lines(text).length} lines`),
    [],
    'One idea per file: split it.',
  )
})

test('TIDY-7 Nothing is left for later, and nothing is exempt from types', () => {
  const banned = /\b(TODO|FIXME|XXX)\b|@ts-ignore|@ts-nocheck|oxlint-disable|eslint-disable|\bas any\b|:\s*any\b|^\s*(export\s+)?(const\s+)?enum\s/
  const wrong = files
    .filter(({ path }) => path !== 'tools/tidy.test.ts')
    .flatMap(({ path, text }) =>
      lines(text)
        .filter((line) => banned.test(line) && !/^\s*(\*|\/\*\*)/.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    )
  assert.deepEqual(wrong, [])
})

test('TIDY-8 Tests and rules name each other', () => {
  const rules = new Map<string, string>()
  for (const page of globSync(['docs/spec*/*.md', 'docs/SPEC.md', 'apps/*/SPEC.md'])) {
    for (const [, rule = ''] of readFileSync(page, 'utf8').matchAll(/^- \*\*([A-Z]+-\d+)\b/gm)) {
      assert.ok(!rules.has(rule), `${rule} stands in ${rules.get(rule)} and in ${page}.`)
      rules.set(rule, page)
    }
  }
  const cited = new Set<string>()
  const wrong: string[] = []
  for (const { path, text } of files.filter((file) => isTest(file.path))) {
    for (const [, title = ''] of text.matchAll(/(?:^|[\s;({])(?:test|it)\(\s*[`'"]((?:\\.|[^`'"\\])*)/g)) {
      const named = [...title.matchAll(/\b([A-Z]+-\d+)\b/g)].map(([rule]) => rule)
      // A table of cases has its rule in a variable; the rows name it.
      const isTable = title.startsWith('${')
      if (!isTable && (named[0] === undefined || !title.startsWith(named[0]))) wrong.push(`${path}: "${title.slice(0, 80)}" begins with no rule`)
      for (const rule of named) {
        if (!rules.has(rule) && !rule.startsWith('TIDY-')) wrong.push(`${path}: ${rule} is no rule of docs/spec or an app's SPEC.md`)
        cited.add(rule)
      }
    }
  }
  for (const { text } of files.filter((file) => isTest(file.path))) for (const [, rule = ''] of text.matchAll(/['"`]([A-Z]+-\d+)['"`]/g)) cited.add(rule)
  for (const [rule, page] of rules) if (!cited.has(rule)) wrong.push(`${page}: no test's title names ${rule}`)
  assert.deepEqual(wrong, [])
})

test('TIDY-9 docs/ERRORS.md lists the codes of the source', () => {
  assert.equal(readFileSync('docs/ERRORS.md', 'utf8'), errorsPage(), 'Run `node tools/write-errors.ts`.')
})

test('TIDY-10 Nothing names a path of one machine', () => {
  const text = [...files, ...globSync('{*.md,docs/**/*.md,apps/**/*.md}', { exclude: ['node_modules/**'] }).map((path) => ({ path, text: readFileSync(path, 'utf8') }))]
  assert.deepEqual(
    text.filter((file) => /(?<![\w.])\/(?:work|home|root|Users|tmp)\/\w/.test(file.text)).map(({ path }) => path),
    [],
  )
})

function mayImport({ path }: SourceFile, name: string): boolean {
  if (!name.startsWith('src/')) return true
  const [, from = ''] = path.split('/')
  const [, to = ''] = name.split('/')
  // The subpaths join everything; test worlds are built from everything.
  if (from === 'public' || from === 'testing') return true
  if (to === 'testing') return nodeOnly.test(path) || path.includes('/testing/')
  const browser = browserLayers[from]
  if (browser !== undefined) return nodeOnly.test(path) || browser.includes(to)
  return from === to || (layers.includes(to) && layers.indexOf(to) < layers.indexOf(from))
}

function lines(text: string): readonly string[] {
  return text.split('\n')
}
