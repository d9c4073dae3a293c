const QUOTE = 34
const BACKSLASH = 92

const COMMA = 44

export interface JsonBounds {
  /** Arrays and objects inside each other. */
  readonly depthMax: number
  /** Values in all: what is checked value by value takes its time for each. */
  readonly valuesMax: number
}

/** Which bound JSON text goes beyond, if any. One pass over the text, no recursion; of an array or object the first value is not counted. */
export function exceededBound(text: string, { depthMax, valuesMax }: JsonBounds): 'depth' | 'values' | undefined {
  let depth = 0
  let values = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) index = endOfString(text, index)
    else if (isClosing(code)) depth -= 1
    else if (code === COMMA || isOpening(code)) {
      values += 1
      if (values > valuesMax) return 'values'
      if (code === COMMA) continue
      depth += 1
      if (depth > depthMax) return 'depth'
    }
  }
  return undefined
}

/** Index of the quote that ends the string which begins at `start`; the text's end when there is none. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end === -1 ? text.length : end
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(index - 1 - backslashes) === BACKSLASH) backslashes += 1
  return backslashes % 2 === 1
}

/** `[` or `{`. */
function isOpening(code: number): boolean {
  return code === 91 || code === 123
}

/** `]` or `}`. */
function isClosing(code: number): boolean {
  return code === 93 || code === 125
}
