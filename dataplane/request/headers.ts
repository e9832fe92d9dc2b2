/**
 * Reading flat header lists (name, value, name, value …) as they came, without building anything
 * from them: names are compared without case, a list may hold one name many times.
 * Pinned by headers.test.ts: "a header is found in every case, and repeated lines are one value".
 */

/** `lower` is in lower case; both are ASCII. */
export function isSameName(name: string, lower: string): boolean {
  if (name.length !== lower.length) return false
  if (name === lower) return true
  for (let i = 0; i < lower.length; i++) {
    const code = name.charCodeAt(i)
    const folded = code >= 0x41 && code <= 0x5a ? code + 0x20 : code
    if (folded !== lower.charCodeAt(i)) return false
  }
  return true
}

/** The value; of several lines joined as RFC 9110 section 5.3 says. Null: there is none. */
export function headerValue(headers: readonly string[], lower: string): string | null {
  let value: string | null = null
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isSameName(headers[i] ?? '', lower)) continue
    const line = headers[i + 1] ?? ''
    value = value === null ? line : `${value}${lower === 'cookie' ? '; ' : ', '}${line}`
  }
  return value
}

/** Whether Vary names the field (in lower case), or all of them (RFC 9110 section 12.5.5). */
export function variesBy(headers: readonly string[], lower: string): boolean {
  const names = headerValue(headers, 'vary') ?? ''
  return names.split(',').some((name) => ['*', lower].includes(name.trim().toLowerCase()))
}

/** Every line of the name, in order. */
export function headerLines(headers: readonly string[], lower: string): readonly string[] {
  const lines: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (isSameName(headers[i] ?? '', lower)) lines.push(headers[i + 1] ?? '')
  }
  return lines
}

/** The list without any line of the name; the same list where there is none. */
export function withoutHeader(headers: readonly string[], lower: string): readonly string[] {
  if (headerValue(headers, lower) === null) return headers
  const kept: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (!isSameName(name, lower)) kept.push(name, headers[i + 1] ?? '')
  }
  return kept
}
