import { fileURLToPath } from 'node:url'
import { context } from 'esbuild'

/** `node examples/quick-start/serve-pages.ts [port]`: bundles the two pages as an app would and serves them. */
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const build = await context({ entryPoints: [here('browser.ts'), here('react.tsx')], outdir: here('.'), write: false, bundle: true, format: 'esm', jsx: 'automatic' })
const { port } = await build.serve({ servedir: here('.'), host: '127.0.0.1', port: Number(process.argv[2] ?? 5173) })
console.log(`http://127.0.0.1:${port}/browser.html\nhttp://127.0.0.1:${port}/react.html`)
