import type { RouteOptions } from 'fastify'
import type { HttpServer } from './http-context.ts'

export interface KnownRoute {
  readonly method: string
  readonly url: string
  readonly schema: RouteOptions['schema']
}

/** Every route of a server as it was declared: what the OpenAPI document and a 405 are made from. */
export interface RouteList {
  readonly routes: readonly KnownRoute[]
  /** Methods that a path without its query takes; empty when there is no such path. */
  methodsOf(path: string): readonly string[]
}

/** Follows a server's routes from here on; call it before the first is declared. */
export function listRoutes(server: HttpServer): RouteList {
  const routes: KnownRoute[] = []
  const patterns = new Map<string, RegExp>()
  server.addHook('onRoute', ({ method, url, schema }) => {
    for (const one of [method].flat()) routes.push({ method: one, url, schema })
    patterns.set(url, patternOf(url))
  })
  return {
    routes,
    methodsOf: (path) => {
      const methods = routes.filter(({ url }) => patterns.get(url)?.test(path) === true).map(({ method }) => method)
      return [...new Set(methods)].toSorted()
    },
  }
}

/** `/a/:b/*` as a pattern of whole paths. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*'
    return part.startsWith(':') ? '[^/]+' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  })
  return new RegExp(`^${parts.join('/')}$`)
}
