import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { Dialect } from './dialect.ts'

/** Values of one `format`: a function takes at most 100 arguments. */
const VALUES_MAX = 50

/** Expression for the text of a JSON object; `members` have expressions of JSON text. */
export function jsonObject(members: readonly (readonly [name: string, text: string])[]): string {
  if (members.length === 0) return "'{}'"
  const parts: string[] = []
  for (let start = 0; start < members.length; start += VALUES_MAX) {
    const part = members.slice(start, start + VALUES_MAX)
    const template = part.map(([name]) => `${JSON.stringify(name).replaceAll("'", "''").replaceAll('%', '%%')}:%s`).join(',')
    const isFirst = start === 0
    const isLast = start + VALUES_MAX >= members.length
    parts.push(`format('${isFirst ? '{' : ','}${template}${isLast ? '}' : ''}', ${part.map(([, text]) => text).join(', ')})`)
  }
  return parts.join(' || ')
}

/** Expression for the record as pull, snapshot and events show it (`WireRecord`), as JSON text. */
export function recordJson({ jsonText }: Dialect, collection: CompiledCollection): string {
  const data = jsonObject(collection.fields.map(({ name, column, kind }) => [name, jsonText(`"${column}"`, kind)]))
  return jsonObject([
    ['collection', `'${JSON.stringify(collection.name)}'`],
    ['id', jsonText('"id"', 'text')],
    ['version', jsonText('"version"', 'integer')],
    ['deleted', `CASE WHEN "deleted_at" IS NULL THEN 'false' ELSE 'true' END`],
    ['data', `CASE WHEN "deleted_at" IS NULL THEN ${data} ELSE 'null' END`],
    ['createdAt', jsonText('"created_at"', 'integer')],
    ['updatedAt', jsonText('"updated_at"', 'integer')],
    ['author', jsonText('"author"', 'text')],
    ['device', jsonText('"device"', 'text')],
  ])
}

/** Expression for the bytes of a record's texts. Both databases know them without reading a text that is kept apart. */
export function recordBytes({ fields }: CompiledCollection): string {
  const texts = fields.filter(({ kind }) => kind === 'text' || kind === 'json')
  return texts.length === 0 ? '0' : texts.map(({ column, nullable }) => (nullable ? `coalesce(octet_length("${column}"), 0)` : `octet_length("${column}")`)).join(' + ')
}

/** The collections of a request; undefined names stand for all. */
export function collectionsOf(app: CompiledApp, names: readonly string[] | undefined): readonly CompiledCollection[] {
  const all = [...app.collections.values()]
  return names === undefined ? all : all.filter(({ name }) => names.includes(name))
}
