import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { builtPackage, type SourcePackage } from './built-package.ts'

const source = JSON.parse(readFileSync('package.json', 'utf8')) as SourcePackage

test('TIDY-12 The built package has the subpaths of the source, as JavaScript with types, and only what runs', () => {
  const built = builtPackage(source)
  assert.deepEqual(Object.keys(built.exports), Object.keys(source.exports))
  for (const [subpath, target] of Object.entries(built.exports)) {
    if (typeof target === 'string') {
      assert.equal(target, source.exports[subpath])
      continue
    }
    assert.equal(target.default.replace(/\.js$/, '.ts'), source.exports[subpath])
    assert.equal(target.types, target.default.replace(/\.js$/, '.d.ts'))
    assert.ok(existsSync(source.exports[subpath] ?? ''), subpath)
  }
  assert.deepEqual(built.bin, { holdfast: './src/cli/holdfast.js' })
  assert.deepEqual(built.dependencies, source.dependencies)
  assert.equal('devDependencies' in built || 'scripts' in built || 'allowScripts' in built, false)
})
