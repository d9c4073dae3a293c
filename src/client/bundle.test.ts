import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Bytes of what an app's bundle gains, compressed. */
const BUNDLE_BYTES_MAX = 25_000

async function bundled(contents: string) {
  const result = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  })
  return {
    bytes: result.outputFiles[0]?.contents ?? new Uint8Array(),
    inputs: Object.values(result.metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []))),
  }
}

test('SDK-2 The client with the IndexedDB store is under 25 kB compressed, without a schema library and without Node', async () => {
  const { bytes, inputs } = await bundled("export { createClient, indexedDbStore } from 'holdfast/client'")
  const gzip = gzipSync(bytes, { level: 9 }).length
  assert.ok(gzip < BUNDLE_BYTES_MAX, `${gzip} bytes with gzip, ${brotliCompressSync(bytes).length} with brotli`)
  assert.deepEqual(
    inputs.filter((path) => path.includes('node_modules/zod') || path.includes('node:')),
    [],
  )
  assert.deepEqual(
    inputs.filter((path) => /node-sqlite|argon|hash-wasm/.test(path)),
    [],
  )
})
