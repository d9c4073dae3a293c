/** A value that survives a trip through JSON unchanged. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** True when both values have the same JSON meaning; the order of object keys does not count. */
export function sameJson(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
    return left.every((item, index) => sameJson(item as JsonValue, right[index] as JsonValue))
  }
  const leftObject = left as { readonly [key: string]: JsonValue }
  const rightObject = right as { readonly [key: string]: JsonValue }
  const leftKeys = Object.keys(leftObject)
  if (leftKeys.length !== Object.keys(rightObject).length) return false
  return leftKeys.every((key) => Object.hasOwn(rightObject, key) && sameJson(leftObject[key], rightObject[key]))
}
