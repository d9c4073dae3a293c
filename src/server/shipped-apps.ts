import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Apps that belong to Holdfast, in the order in which they are shown. */
export const shippedAppNames = ['journal', 'gallery', 'vault', 'travel', 'ppe'] as const

/** Compiled files end in `.js`, as this one then does. */
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

/** The shipped apps that this copy of Holdfast has, with the address of their server side. */
export function findShippedApps(): ReadonlyMap<string, string> {
  const all = shippedAppNames.map((name) => [name, new URL(`../../apps/${name}/server${extension}`, import.meta.url).href] as const)
  return new Map(all.filter(([, url]) => existsSync(fileURLToPath(url))))
}
