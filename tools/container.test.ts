import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { settingSchemas } from '../src/server/setting-schemas.ts'

const dockerfile = readFileSync('Dockerfile', 'utf8')
const compose = readFileSync('compose.yaml', 'utf8')

test('TIDY-11 What the Dockerfile copies exists, and the program that it starts too', () => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '))
  assert.ok(copied.length >= 5)
  assert.deepEqual(
    copied.filter((path) => !existsSync(path)),
    [],
  )
  const [, program = ''] = /^CMD \["node", "(.+)", "serve"\]$/m.exec(dockerfile) ?? []
  assert.ok(existsSync(program) && copied.some((path) => program.startsWith(`${path}/`)), `CMD starts "${program}"`)
  assert.match(dockerfile, /^USER node$/m)
})

test('TIDY-11 Settings that Dockerfile and Compose name are settings of the server, and the Compose file is sound', () => {
  const known = new Set(Object.keys(settingSchemas).map((name) => `HOLDFAST_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`))
  const named = [...`${dockerfile}\n${compose}`.matchAll(/HOLDFAST_[A-Z_]+/g)].map(([name]) => name)
  assert.deepEqual(
    [...new Set(named)].filter((name) => !known.has(name)),
    [],
  )
  const { services, volumes } = parse(compose) as { services: Record<string, { depends_on?: string[] | object; volumes?: string[] }>; volumes: object }
  for (const { depends_on: needs = [], volumes: mounted = [] } of Object.values(services)) {
    for (const name of Array.isArray(needs) ? needs : Object.keys(needs)) assert.ok(Object.hasOwn(services, name), name)
    for (const mount of mounted) assert.ok(Object.hasOwn(volumes, mount.split(':')[0] ?? ''), mount)
  }
})
