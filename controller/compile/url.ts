/**
 * URLs that a resource tells the data planes to fetch: https, or plain http where the operator's
 * egress list or a Service of the resource's own namespace says so. The data planes judge the address
 * again at each connection; this is what can be said before.
 * Pinned by url.test.ts: "plain http needs the operator, an own Service, or a folder's loopback".
 */
import { inRange, parseAddress, parseCidr } from '#wire/address'
import { fieldsOf, itemsOf, textOf } from './content.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import type { Resource } from './snapshot.ts'
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
  return ownService(hostname, within) !== null || isAllowed(hostname, within)
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'].flatMap((text) => parseCidr(text) ?? [])

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || isIn(hostname, LOOPBACK)
}

function isIn(hostname: string, ranges: typeof LOOPBACK): boolean {
  const address = parseAddress(hostname.replace(/^\[(.*)\]$/, '$1'))
  return address !== null && ranges.some((range) => inRange(address, range))
}

/** A bare name could be meant for the namespace of the data plane just as well. */
function ownService(hostname: string, within: StepWithin): Resource | null {
  const [name, namespace] = /^([^.]+)\.([^.]+)(?:\.svc(?:\.cluster\.local)?)?$/
    .exec(hostname)
    ?.slice(1) ?? ['', '']
  if (name === undefined || namespace !== within.namespace) return null
  return within.reader.get('Service', namespace, name)
}

/** Where data planes call the URL instead of asking a name server; null: wherever its name leads. */
export function checkOwnService(
  text: string,
  at: FieldPath<string>,
  within: StepWithin,
): Checked<readonly string[] | null> {
  const hostname = URL.parse(text)?.hostname ?? ''
  const service = ownService(hostname, within)
  if (service === null) return { value: null, problems: [] }
  const addresses = clusterAddresses(service)
  if (addresses.length > 0) return { value: addresses, problems: [] }
  if (isAllowed(hostname, within)) return { value: null, problems: [] }
  const sentence =
    `Service "${service.name}" has no cluster IP, so that data planes cannot call it; give it one, ` +
    `or let the operator add "${hostname}" to egress.allow of the ApiGateway.`
  return { value: null, problems: [at.warning('BackendNotFound', sentence)] }
}

function clusterAddresses({ content }: Resource): readonly string[] {
  const spec = fieldsOf(content['spec'])
  const listed = itemsOf(spec['clusterIPs']).flatMap((item) => textOf(item) ?? [])
  const addresses = listed.length > 0 ? listed : [textOf(spec['clusterIP']) ?? '']
  return addresses.filter((address) => parseAddress(address) !== null)
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
