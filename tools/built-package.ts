/** What of `package.json` the published package is made from. */
export interface SourcePackage {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly type: string
  readonly engines: Readonly<Record<string, string>>
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, object>>
}

export interface BuiltPackage extends Omit<SourcePackage, 'exports'> {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}

/** The package of compiled files: the same subpaths, and only what runs. */
export function builtPackage(source: SourcePackage): BuiltPackage {
  const { name, version, description, license, type, engines, bin, dependencies, peerDependencies, peerDependenciesMeta } = source
  const rest = { name, version, description, license, type, engines, dependencies, peerDependencies, peerDependenciesMeta }
  return {
    ...rest,
    bin: Object.fromEntries(Object.entries(bin).map(([command, path]) => [command, compiled(path)])),
    exports: Object.fromEntries(Object.entries(source.exports).map(([subpath, path]) => [subpath, path.endsWith('.ts') ? { types: path.replace(/\.ts$/, '.d.ts'), default: compiled(path) } : path])),
  }
}

function compiled(path: string): string {
  return path.replace(/\.ts$/, '.js')
}
