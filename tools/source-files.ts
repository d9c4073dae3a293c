import { globSync, readFileSync } from 'node:fs'

/** A file of the tree with its text. Paths are relative to the root, with `/`. */
export interface SourceFile {
  readonly path: string
  readonly text: string
  /** What it imports, as written: relative paths are resolved to paths of the tree. */
  readonly imports: readonly string[]
}

/** Every TypeScript file of the project. */
export function readSourceFiles(): readonly SourceFile[] {
  return globSync('{src,apps,bench,examples,test,tools}/**/*.{ts,tsx}', { exclude: ['**/node_modules/**'] })
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted()
    .map((path) => {
      const text = readFileSync(path, 'utf8')
      return { path, text, imports: importsOf(path, text) }
    })
}

function importsOf(path: string, text: string): string[] {
  const found = text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"\n]*(?:\{[^}]*\}\s*from\s*)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]/g)
  return [...found].map(([, stated, dynamic]) => resolveImport(path, stated ?? dynamic ?? ''))
}

function resolveImport(path: string, name: string): string {
  if (!name.startsWith('.')) return name
  const parts = path.split('/').slice(0, -1)
  for (const part of name.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

export function isTest(path: string): boolean {
  return /\.(test|property|bench|fixture)\.tsx?$/.test(path) || path.includes('.test.')
}
