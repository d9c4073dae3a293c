import { createRequire } from 'node:module'
import { fastify } from 'fastify'
import type { HttpServer } from './http-context.ts'
import { openApiOf } from './openapi.ts'
import type { RouteList } from './route-list.ts'
import { jsonAnswer, textAnswer } from './route-schema.ts'
import { z } from 'zod'

/** The page's viewer brings its styles in style elements; everything else is as strict as everywhere. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self' data:; form-action 'none'; frame-ancestors 'none'; img-src 'self' data:; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:"

const SCRIPT_AGE_S = 86_400

const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string }

/** `/openapi.json`, and `/docs` to read it, with nothing from elsewhere. */
export function registerDocsRoutes(server: HttpServer, { routes }: RouteList): void {
  let document: string | undefined
  server.get(
    '/openapi.json',
    { schema: { operationId: 'openApi', tags: ['server'], summary: 'This document', response: { 200: jsonAnswer('OpenAPI 3.1.', z.record(z.string(), z.unknown())) } } },
    async (_request, reply) => {
      document ??= JSON.stringify(openApiOf(routes, version))
      return reply.type('application/json; charset=utf-8').send(document)
    },
  )
  server.get('/docs', { schema: { operationId: 'docs', tags: ['server'], summary: 'This document, to read', response: { 200: textAnswer('A page.', 'text/html') } } }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', CONTENT_SECURITY_POLICY).send(page),
  )
  let script: Promise<string> | undefined
  server.get('/docs/viewer.js', { schema: { hide: true } }, async (_request, reply) => {
    script ??= viewerScript()
    return reply
      .type('text/javascript; charset=utf-8')
      .header('cache-control', `public, max-age=${SCRIPT_AGE_S}`)
      .send(await script)
  })
}

/** Who opens the server's address in a browser sees what there is, unless an app answers there. After all routes. */
export function leadToDocs(server: HttpServer): void {
  if (!server.hasRoute({ method: 'GET', url: '/' })) server.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs'))
}

const configuration = { url: '/openapi.json', withDefaultFonts: false, telemetry: false, hideClientButton: true, agent: { disabled: true }, mcp: { disabled: true }, showDeveloperTools: 'never' }

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Holdfast API</title></head>
<body>
<noscript>The viewer needs JavaScript. The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script id="api-reference" type="application/json" data-configuration='${JSON.stringify(configuration)}'></script>
<script src="/docs/viewer.js"></script>
</body>
</html>
`

/** The viewer's script, out of its package: loaded when somebody first reads the page, since it is megabytes of text. */
async function viewerScript(): Promise<string> {
  const { default: viewer } = await import('@scalar/fastify-api-reference')
  const shelf = fastify()
  await shelf.register(viewer, { routePrefix: '/viewer', configuration: { content: {} } })
  const { body, statusCode } = await shelf.inject('/viewer/js/scalar.js')
  await shelf.close()
  if (statusCode !== 200) throw new Error(`The viewer's package gave ${statusCode} for its script.`)
  return body
}
