/** Characters are made in pieces: the call takes so many arguments and no more. */
const PIECE_BYTES = 8_192

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) text += String.fromCharCode(...bytes.subarray(start, start + PIECE_BYTES))
  return btoa(text)
}

/** Throws where the text is not base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
