import type { CompiledApp } from '../app/compile-app.ts'
import { Problem } from '../protocol/problem.ts'
import type { HttpContext } from './http-context.ts'

/** The app that a body names in `app`. Throws `request.invalid` naming the field. */
export function requireApp(context: HttpContext, name: string): CompiledApp {
  const hosted = context.apps.get(name)
  if (hosted === undefined) throw new Problem('request.invalid', { detail: 'app: this server runs no such app.', fields: [{ path: 'app', message: 'This server runs no such app.' }] })
  return hosted.app
}
