import pg from 'pg'

type Parser = (text: string) => unknown

const { builtins } = pg.types

/** The few types that statements answer with, as the port's values: whole numbers without loss, truth as 0 and 1, all else as text. */
const parsers = new Map<number, Parser>([
  [builtins.INT2, Number],
  [builtins.INT4, Number],
  [builtins.INT8, safeInteger],
  [builtins.FLOAT4, Number],
  [builtins.FLOAT8, Number],
  [builtins.NUMERIC, Number],
  [builtins.BOOL, (text) => (text === 't' ? 1 : 0)],
])

/** How values of PostgreSQL become values of the port. */
export const postgresTypes = {
  getTypeParser: (oid: number): Parser => parsers.get(oid) ?? asText,
}

/** Versions and times stay far below 2^53; a number that does not would be another one after the conversion. */
function safeInteger(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new RangeError(`The database answered ${text}, which is not exact as a number.`)
  return number
}

function asText(text: string): string {
  return text
}
