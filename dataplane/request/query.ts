/**
 * Reading a raw query: names and values decoded as forms are (WHATWG), in the order in which they
 * stand. An escape that is none stays as it is written.
 * Pinned by query.test.ts: "a query reads as URLSearchParams reads it".
 */

/** Flat list: name, value, name, value. A part without `=` has the value ''. */
export function queryPairs(query: string | null): readonly string[] {
  const pairs: string[] = []
  if (query === null) return pairs
  for (const part of query.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    pairs.push(decodedQueryText(equals === -1 ? part : part.slice(0, equals)))
    pairs.push(equals === -1 ? '' : decodedQueryText(part.slice(equals + 1)))
  }
  return pairs
}

/** The first value of the name, or null. Later ones are for who asks for all of them. */
export function queryValue(query: string | null, name: string): string | null {
  if (query === null) return null
  const pairs = queryPairs(query)
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return pairs[i + 1] ?? ''
  return null
}

/** The raw query without the parts whose decoded name is one of these; null where nothing stays. */
export function queryWithout(query: string, names: readonly string[]): string | null {
  const kept = query.split('&').filter((part) => {
    const equals = part.indexOf('=')
    return !names.includes(decodedQueryText(equals === -1 ? part : part.slice(0, equals)))
  })
  return kept.length === 0 ? null : kept.join('&')
}

export function decodedQueryText(text: string): string {
  if (!/[%+]/.test(text)) return text
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return decodedBytes(spaced)
  }
}

/** As WHATWG has it: what is no escape stays, what is not UTF-8 becomes the replacement character. */
function decodedBytes(text: string): string {
  const bytes = Buffer.from(text, 'utf8')
  const out = Buffer.alloc(bytes.length)
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    const digits = bytes.toString('latin1', i + 1, i + 3)
    if (bytes[i] === 0x25 && /^[0-9A-Fa-f]{2}$/.test(digits)) {
      out[length++] = Number.parseInt(digits, 16)
      i += 2
    } else {
      out[length++] = bytes[i] ?? 0
    }
  }
  return out.toString('utf8', 0, length)
}
