/** Bytes at the head of a page in which it may say how it is encoded (HTML Standard, "prescan a byte stream"). */
const SCAN_BYTES = 1_024

/** The text of a page: by its byte order mark, else as the server says, else as the page says, else UTF-8 or, where it is not that, windows-1252. */
export function decodePage(body: Uint8Array, charset: string | undefined): string {
  const decoder = decoderOf(markOf(body)) ?? decoderOf(charset) ?? decoderOf(declaredIn(body))
  if (decoder !== undefined) return decoder.decode(body)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return new TextDecoder('windows-1252').decode(body)
  }
}

function markOf([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined
}

function declaredIn(body: Uint8Array): string | undefined {
  const head = Buffer.from(body.subarray(0, SCAN_BYTES)).toString('latin1')
  const charset = /<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)/i.exec(head)?.[1]
  // A page that could be read that far is not in UTF-16 (HTML Standard).
  return charset !== undefined && /^utf-?16/i.test(charset) ? 'utf-8' : charset
}

function decoderOf(label: string | undefined): TextDecoder | undefined {
  if (label === undefined) return undefined
  try {
    return new TextDecoder(label)
  } catch {
    return undefined
  }
}
