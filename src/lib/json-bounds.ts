const QUOTE = 34
const BACKSLASH = 92

/** True when JSON text opens more than `depthMax` arrays and objects inside each other. One pass over the text, no recursion. */
export function exceedsJsonDepth(text: string, depthMax: number): boolean {
  let depth = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) index = endOfString(text, index)
    else if (isOpening(code)) {
      depth += 1
      if (depth > depthMax) return true
    } else if (isClosing(code)) depth -= 1
  }
  return false
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
