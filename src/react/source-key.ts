const keys = new WeakMap<object, string>()
let count = 0

/** A text that stands for an object, the same for as long as the object lives. */
export function sourceKey(source: object): string {
  const known = keys.get(source)
  if (known !== undefined) return known
  count += 1
  const made = String(count)
  keys.set(source, made)
  return made
}
