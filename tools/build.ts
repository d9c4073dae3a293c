import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { builtPackage, type SourcePackage } from './built-package.ts'

/**
 * `npm run build`: JavaScript and types in `dist/`, which is a package to pack and publish. The repository itself needs no build; a
 * package does, because Node strips no types below `node_modules`.
 */

rmSync('dist', { recursive: true, force: true })
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })
const source = JSON.parse(readFileSync('package.json', 'utf8')) as SourcePackage
const built = builtPackage(source)
writeFileSync('dist/package.json', `${JSON.stringify(built, null, 2)}\n`)
for (const file of ['LICENSE', 'README.md']) copyFileSync(file, `dist/${file}`)
for (const program of Object.values(built.bin)) chmodSync(`dist/${program}`, 0o755)
console.log(`dist: ${built.name} ${built.version}, ${Object.keys(built.exports).length} subpaths`)
