import { z } from 'zod'
import type { KnownRoute } from './route-list.ts'
import { needsCredential } from './route-schema.ts'

type JsonSchema = Readonly<Record<string, unknown>>

interface Described {
  readonly operationId?: string
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly security?: readonly unknown[]
  readonly params?: z.ZodType
  readonly querystring?: z.ZodType
  readonly headers?: z.ZodType
  readonly body?: z.ZodType
  readonly response?: Readonly<Record<string, unknown>>
}

const credentials = {
  bearer: { type: 'http', scheme: 'bearer', description: 'Access token of a signed-in person, or an API key.' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  metricsToken: { type: 'http', scheme: 'bearer', description: 'HOLDFAST_METRICS_TOKEN.' },
}

/**
 * The OpenAPI 3.1 document of the routes that describe themselves. Those of the platform are made from the schemas that check their requests;
 * those of an app's own dialect say what they are for, and the app's contract says the rest.
 */
export function openApiOf(routes: readonly KnownRoute[], version: string): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {}
  for (const { method, url, schema } of routes) {
    const described = (schema ?? {}) as Described
    if (method === 'HEAD' || described.summary === undefined) continue
    const path = url.replaceAll(/:([A-Za-z]+)/g, '{$1}')
    paths[path] = { ...paths[path], [method.toLowerCase()]: described.operationId === undefined ? ownOperation(url, described) : operationOf(described) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Holdfast', version, description: 'Accounts, sync, records, conflicts and audit of every app on this server. Refusals are `application/problem+json`.' },
    paths,
    components: { securitySchemes: credentials },
  }
}

function ownOperation(url: string, { tags, summary }: Described): JsonSchema {
  const parameters = [...url.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  return {
    ...(tags === undefined ? {} : { tags }),
    summary,
    security: needsCredential,
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: { default: { description: 'As the contract of the app says.' } },
  }
}

function operationOf({ operationId, tags, summary, description, security, params, querystring, headers, body, response }: Described): JsonSchema {
  const parameters = [...parametersOf('path', params), ...parametersOf('query', querystring), ...parametersOf('header', headers)]
  return {
    operationId,
    ...(tags === undefined ? {} : { tags }),
    ...(summary === undefined ? {} : { summary }),
    ...(description === undefined ? {} : { description }),
    ...(security === undefined ? { security: [] } : { security }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: inputSchema(body) } } } }),
    responses: Object.fromEntries(Object.entries(response ?? {}).map(([status, answer]) => [status.toUpperCase(), answerOf(answer)])),
  }
}

function parametersOf(place: 'path' | 'query' | 'header', type: z.ZodType | undefined): JsonSchema[] {
  if (type === undefined) return []
  const { properties = {}, required = [] } = inputSchema(type) as { properties?: Record<string, JsonSchema>; required?: readonly string[] }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }))
}

function answerOf(answer: unknown): JsonSchema {
  if (answer instanceof z.ZodVoid) return { description: 'Done.' }
  if (answer instanceof z.ZodType) return { description: 'Done.', content: { 'application/json': { schema: outputSchema(answer) } } }
  const { description, content } = answer as { readonly description: string; readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>> }
  return { description, content: Object.fromEntries(Object.entries(content).map(([mediaType, { schema }]) => [mediaType, { schema: outputSchema(schema) }])) }
}

function inputSchema(type: z.ZodType): JsonSchema {
  return withoutDialect(z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }))
}

function outputSchema(type: z.ZodType): JsonSchema {
  return withoutDialect(z.toJSONSchema(type, { io: 'output', unrepresentable: 'any' }))
}

/** The document says once which dialect its schemas are in. */
function withoutDialect({ $schema: _dialect, ...schema }: JsonSchema): JsonSchema {
  return schema
}
