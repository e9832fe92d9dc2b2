/**
 * URLs that a resource tells the data planes to fetch: https, or plain http where the operator's
 * egress list or a Service of the resource's own namespace says so. The data planes judge the address
 * again at each connection; this is what can be said before.
 * Pinned by url.test.ts: "plain http needs the operator, an own Service, or a folder's loopback".
 */
import { inRange, parseAddress, parseCidr } from '#wire/address'
import { fieldsOf, itemsOf, textOf } from './content.ts'
import type { FieldPath, Problem } from './problem.ts'
import type { StepWithin } from './steps.ts'

export function checkUrl(
  text: string,
  at: FieldPath<string>,
  within: StepWithin,
): readonly Problem[] {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return [at.problem('Invalid', `"${text}" is no URL; write one that starts with https://.`)]
  }
  if (url.username !== '' || url.password !== '') {
    return [at.problem('Invalid', 'A URL here holds no user and no password; remove them.')]
  }
  if (url.hash !== '') {
    return [at.problem('Invalid', 'What follows the # of a URL is never sent; remove it.')]
  }
  if (url.protocol === 'https:' || mayBePlain(url.hostname, within)) return []
  const sentence =
    `"${text}" is plain http, where anybody on the way could answer; use https, or let the ` +
    `operator add "${url.hostname}" to egress.allow of the ApiGateway.`
  return [at.problem('RefNotPermitted', sentence)]
}

function mayBePlain(hostname: string, within: StepWithin): boolean {
  const folder = within.reader.installation.unresolvedServices === 'sample'
  if (folder && isLoopback(hostname)) return true
  return isOwnService(hostname, within) || isAllowed(hostname, within)
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'].flatMap((text) => parseCidr(text) ?? [])

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || isIn(hostname, LOOPBACK)
}

function isIn(hostname: string, ranges: typeof LOOPBACK): boolean {
  const address = parseAddress(hostname.replace(/^\[(.*)\]$/, '$1'))
  return address !== null && ranges.some((range) => inRange(address, range))
}

/** A bare name would be looked up in the namespace of the data plane, not of the resource. */
function isOwnService(hostname: string, within: StepWithin): boolean {
  const [name, namespace] = /^([^.]+)\.([^.]+)(?:\.svc(?:\.cluster\.local)?)?$/
    .exec(hostname)
    ?.slice(1) ?? ['', '']
  if (name === undefined || namespace !== within.namespace) return false
  return within.reader.get('Service', namespace, name) !== null
}

function isAllowed(hostname: string, within: StepWithin): boolean {
  for (const gateways of within.reader.all('ApiGateway').values()) {
    for (const gateway of gateways.values()) {
      const egress = fieldsOf(fieldsOf(gateway.content['spec'])['egress'])
      const allow = itemsOf(egress['allow']).flatMap((item) => textOf(item) ?? [])
      if (allow.some((destination) => covers(destination, hostname))) return true
    }
  }
  return false
}

function covers(destination: string, hostname: string): boolean {
  if (destination.startsWith('*.')) return hostname.endsWith(destination.slice(1))
  if (destination.toLowerCase() === hostname) return true
  const range = parseCidr(destination)
  return range !== null && isIn(hostname, [range])
}
