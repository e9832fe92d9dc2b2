/**
 * Strings with a shape: names, hosts, paths, durations, sizes, expressions and templates, each with a
 * cap and with the sentence that says how to write one.
 * Pinned by decode.test.ts: "every bad object is refused at its path with a sentence that helps".
 */
import type { TUnsafe } from 'typebox'
import { matching } from './rule.ts'
import { type Doc, IntOrText, type Rule, Text } from './schema.ts'

const NAME = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?'

/** What Kubernetes calls a DNS label. */
export function Label(doc: Doc): TUnsafe<string> {
  const message =
    'Use lower-case letters, digits and "-", starting and ending with a letter or digit.'
  return Text({ ...doc, min: 1, max: 63, rules: [matching(`^${NAME}$`, message)] })
}

/** The name of an object. */
export function ObjectName(doc: Doc): TUnsafe<string> {
  const message =
    'Use the name of an object: lower-case letters, digits, "-" and ".", starting and ending with a letter or digit.'
  const pattern = `^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
  return Text({ ...doc, min: 1, max: 253, rules: [matching(pattern, message)] })
}

/** A host, exact or with one leading wildcard. */
export function Host(doc: Doc): TUnsafe<string> {
  const message =
    'Write a host in lower case, such as shop.example.com, or with one leading wildcard, *.example.com: no scheme, port or path.'
  const pattern = `^([*][.])?${NAME}([.]${NAME})*$`
  return Text({ ...doc, min: 1, max: 253, rules: [matching(pattern, message)] })
}

/** A host of a grant: as Host, or `*` for routes without hosts. */
export function HostOrAny(doc: Doc): TUnsafe<string> {
  const message =
    'Write a host in lower case, such as shop.example.com, one with a leading wildcard, *.example.com, or * for routes without hosts.'
  const pattern = `^([*]|([*][.])?${NAME}([.]${NAME})*)$`
  return Text({ ...doc, min: 1, max: 253, rules: [matching(pattern, message)] })
}

/** Where a request is sent or redirected to: exact only. */
export function ExactHost(doc: Doc): TUnsafe<string> {
  const message =
    'Write one host in lower case, such as shop.example.com: no wildcard, scheme or path.'
  return Text({ ...doc, min: 1, max: 253, rules: [matching(`^${NAME}([.]${NAME})*$`, message)] })
}

const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
const IPV4 = `(${OCTET}[.]){3}${OCTET}`
/** What two `::` or too many groups mean is left to those who compare addresses. */
const IPV6 = '([0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}'

export function Cidr(doc: Doc): TUnsafe<string> {
  const message = 'Write a range such as 10.0.0.0/8 or 2001:db8::/32; one address is 10.6.6.6/32.'
  const v6 = `${IPV6}/(12[0-8]|1[01][0-9]|[1-9]?[0-9])`
  const pattern = `^(${IPV4}/(3[0-2]|[12]?[0-9])|${v6})$`
  return Text({ ...doc, min: 1, max: 49, rules: [matching(pattern, message)] })
}

/** A destination that the operator allows: a host, an address or a range. */
export function Destination(doc: Doc): TUnsafe<string> {
  const message =
    'Write a host such as id.example.com, *.example.com, or a range such as 10.0.0.0/8.'
  const pattern = '^([*][.])?[0-9A-Za-z.:-]+(/[0-9]{1,3})?$'
  return Text({ ...doc, min: 1, max: 253, rules: [matching(pattern, message)] })
}

export function Url(doc: Doc): TUnsafe<string> {
  const message =
    'Write an absolute URL that starts with https:// or http://, without user or spaces.'
  const pattern = '^https?://[^/?#@\\x00-\\x20\\x7f]+([/?][^#\\x00-\\x20\\x7f]*)?$'
  return Text({ ...doc, min: 1, max: 2048, rules: [matching(pattern, message)] })
}

/** Go-style, as Gateway API writes them (GEP-2257). */
export function Duration(doc: Doc): TUnsafe<string> {
  const message = 'Write a duration with its unit, such as 500ms, 2s, 1m30s or 24h.'
  const pattern = '^([0-9]{1,5}(ms|s|m|h)){1,4}$'
  return Text({ ...doc, min: 1, max: 28, rules: [matching(pattern, message)] })
}

/** Bytes: a number, or a Kubernetes quantity. */
export function Size(doc: Doc): TUnsafe<number | string> {
  return IntOrText({
    ...doc,
    min: 0,
    max: 999_999_999_999,
    maxLength: 14,
    pattern: '^[0-9]{1,12}(k|M|G|Ki|Mi|Gi)?$',
    hint: 'Write a size such as 64Ki, 10Mi or 1048576 (bytes).',
  })
}

/** A part of the traffic. */
export function Share(doc: Doc): TUnsafe<string> {
  const message = 'Write a share with its sign, such as 5% or 0.1%, at most 100%.'
  const pattern = '^(100|[0-9]{1,2}([.][0-9]{1,3})?)%$'
  return Text({ ...doc, min: 1, max: 8, rules: [matching(pattern, message)] })
}

/** So many per so long. */
export function Rate(doc: Doc): TUnsafe<string> {
  const message = 'Write a number and a duration, such as 60/1m, 5000/1s or 10/1h.'
  const pattern = '^[1-9][0-9]{0,9}/([0-9]{1,5}(ms|s|m|h)){1,4}$'
  return Text({ ...doc, min: 1, max: 40, rules: [matching(pattern, message)] })
}

export function Timestamp(doc: Doc): TUnsafe<string> {
  const message = 'Write a moment as RFC 3339 does, in quotes: "2026-01-01T00:00:00Z".'
  const day = '[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
  const time = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?'
  const pattern = `^${day}T${time}(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
  return Text({ ...doc, min: 1, max: 40, rules: [matching(pattern, message)] })
}

export function Method(doc: Doc): TUnsafe<string> {
  const message = 'Write the method in upper case, such as GET; leave the field out for any method.'
  return Text({ ...doc, min: 1, max: 32, rules: [matching('^[A-Z][A-Z-]*$', message)] })
}

interface HeaderNameOptions extends Doc {
  readonly rules?: readonly Rule<string>[]
}

export function HeaderName({ rules = [], ...doc }: HeaderNameOptions): TUnsafe<string> {
  const message = `Write a header name such as x-tenant: letters, digits and ${TOKEN_SIGNS} only.`
  return Text({ ...doc, min: 1, max: 64, rules: [matching(TOKEN, message), ...rules] })
}

/** A scheme of an Authorization line, a cookie's name: a token of RFC 9110. */
export function Token(doc: Doc): TUnsafe<string> {
  const message = `Use letters, digits and ${TOKEN_SIGNS} only.`
  return Text({ ...doc, min: 1, max: 64, rules: [matching(TOKEN, message)] })
}

const TOKEN = "^[-!#$%&'*+.^_`|~0-9A-Za-z]+$"
const TOKEN_SIGNS = "!#$%&'*+-.^_`|~"

/** A path of requests: exact, with `{name}` for one segment, or ending in `/**`. */
export function PathPattern(doc: Doc): TUnsafe<string> {
  const message =
    'Write a path such as /books, /orders/{id} or /books/**: {name} stands for one whole segment, /** may only end it; a query goes to queryParams.'
  const segment = '([^/{}*?#\\x00-\\x20]*|[{][A-Za-z_]\\w*[}])'
  const pattern = `^(/${segment})*(/[*][*])?$`
  return Text({ ...doc, min: 1, max: 512, rules: [STARTS_WITH_SLASH, matching(pattern, message)] })
}

const STARTS_WITH_SLASH: Rule<string> = {
  cel: "self.startsWith('/')",
  message: 'A path starts with "/".',
  check: (value) => value.startsWith('/'),
}

/** RE2; whether it compiles is judged by compile, which has the engine. */
export function Regex(doc: Doc): TUnsafe<string> {
  return Text({ ...doc, min: 1, max: 256, form: 'pattern' })
}

/** CEL, bare. */
export function Expression(doc: Doc): TUnsafe<string> {
  const empty: Rule<string> = {
    cel: 'self.size() > 0',
    message:
      "The expression is empty. YAML reads an unquoted ! as a tag and drops it: quote the whole expression, when: '!has(request.query.q)'.",
    check: (value) => value.length > 0,
  }
  const template: Rule<string> = {
    cel: "!self.startsWith('${')",
    message: 'This field is one CEL expression: write it bare, without ${ and }.',
    check: (value) => !value.startsWith('${'),
    say: (value) =>
      `This field is one CEL expression: write it bare, as ${value.replace(/^\$\{\s*/u, '').replace(/\s*\}\s*$/u, '')}`,
  }
  return Text({ ...doc, max: 4096, form: 'expression', rules: [empty, template] })
}

interface TemplateOptions extends Doc {
  readonly max?: number
}

/** Text with `${ CEL }` in it. */
export function Template(options: TemplateOptions): TUnsafe<string> {
  return Text({ ...options, max: options.max ?? 4096, form: 'template' })
}

/** What kept answers differ by. */
export function CacheBy(doc: Doc): TUnsafe<string> {
  const message = 'Write consumer, header:NAME, query:NAME or claim:NAME.'
  const pattern = '^(consumer|(header|query|claim):[^: ]+)$'
  return Text({ ...doc, min: 1, max: 64, rules: [matching(pattern, message)] })
}
