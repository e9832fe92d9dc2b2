/**
 * Types of the wire as data for the plain twin of the decoder, and the interpreter that knows
 * structure and no bounds.
 */
/**
 * 's' text, 'n' number; a list of one type; an object of types, where a name that ends in `?` may be
 * absent; `or` of several; or a test.
 */
export type Type = 's' | 'n' | readonly Type[] | { readonly [name: string]: Type } | Test
export type Test = (value: unknown) => boolean

export function fits(type: Type, value: unknown): boolean {
  if (type === 's') return typeof value === 'string'
  if (type === 'n') return typeof value === 'number'
  if (typeof type === 'function') return type(value)
  if (isList(type))
    return Array.isArray(value) && value.every((item) => fits(type[0] ?? is(), item))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const members = Object.entries(value)
  const required = Object.keys(type).filter((name) => !name.endsWith('?'))
  return (
    required.every((name) => Object.hasOwn(value, name)) &&
    members.every(([name, member]) => fits(type[name] ?? type[`${name}?`] ?? is(), member))
  )
}

function isList(type: Type): type is readonly Type[] {
  return Array.isArray(type)
}

export const or =
  (...types: Type[]): Test =>
  (value) =>
    types.some((type) => fits(type, value))
export const is =
  (...words: unknown[]): Test =>
  (value) =>
    words.includes(value)
export const maybe = (type: Type): Test => or(is(null), type)
export const map =
  (type: Type): Test =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((member) => fits(type, member))
export const any: Test = () => true
