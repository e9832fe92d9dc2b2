/**
 * Text of flags and variables into values. What does not fit becomes a UsageFailure: one clear line,
 * exit code 2. Pinned by values.test.ts: "a bad value is named with its flag and what would fit".
 */
import { WAIT_MS_MAX } from '#wire/limits'
import { nearest } from '../../crds/nearest.ts'
import { durationMs, sizeBytes } from '../compile/quantity.ts'
import { COMMANDS, type CommandName, type Setting, variableOf } from './settings.ts'

/** The user's call cannot be carried out as given. */
export class UsageFailure extends Error {}

export interface Address {
  readonly host: string
  readonly port: number
}

export type Values = ReadonlyMap<string, string>

/**
 * Flags before variables before defaults. `flags` holds the text of each flag that was given, `''`
 * for a switch.
 */
export function valuesOf(
  command: CommandName,
  flags: Readonly<Record<string, string | undefined>>,
  environment: Readonly<Record<string, string | undefined>>,
): Values {
  refuseUnknownVariables(command, environment)
  const values = new Map<string, string>()
  for (const setting of COMMANDS[command].settings) {
    const text = flags[setting.name] ?? environment[variableOf(setting)] ?? setting.fallback
    if (text === null || text === undefined) continue
    values.set(setting.name, checked(setting, text))
  }
  return values
}

/** Kubernetes sets these for every Service whose name begins with fairlead. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_\d+_(TCP|UDP)(_[A-Z]+)?)$/

function refuseUnknownVariables(
  command: CommandName,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const all: readonly Setting[] = Object.values(COMMANDS).flatMap((one) => [...one.settings])
  const known = new Set(all.map(variableOf))
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('FAIRLEAD_') || known.has(name) || SERVICE_LINK.test(name)) continue
    const near = nearest(name, COMMANDS[command].settings.map(variableOf))
    const end = near === null ? 'see --help for those there are' : `did you mean ${near}?`
    throw new UsageFailure(`unknown variable ${name}; ${end}`)
  }
}

interface Check {
  readonly fits: (text: string, setting: Setting) => unknown
  readonly wanted: (setting: Setting) => string
}

const CHECKS: Readonly<Record<Setting['kind'], Check>> = {
  address: {
    fits: (text) => addressOf(text) !== null,
    wanted: () => 'HOST:PORT, such as 127.0.0.1:8080',
  },
  addresses: {
    fits: (text) => text.split(',').every((part) => addressOf(part.trim()) !== null),
    wanted: () => 'HOST:PORT, or several with commas between',
  },
  duration: {
    fits: (text) => durationMs(text) !== null,
    wanted: () => 'a duration such as 30s, 5m or 500ms',
  },
  count: {
    fits: (text) => /^[1-9]\d{0,2}$/.test(text),
    wanted: () => 'a whole number from 1 to 999',
  },
  size: {
    fits: (text) => (sizeBytes(text) ?? 0) > 0,
    wanted: () => 'a size such as 512Mi or 2Gi',
  },
  choice: {
    fits: (text, setting) => (setting.choices ?? []).includes(text),
    wanted: (setting) => `one of ${(setting.choices ?? []).join(', ')}`,
  },
  text: { fits: (text) => text !== '', wanted: () => 'a value: it is empty' },
  path: { fits: (text) => text !== '', wanted: () => 'a path: it is empty' },
  switch: { fits: (text) => ['', 'true', '1'].includes(text), wanted: () => 'true' },
}

function checked(setting: Setting, text: string): string {
  const check = CHECKS[setting.kind]
  if (check.fits(text, setting)) return setting.kind === 'switch' ? 'true' : text
  throw new UsageFailure(`--${setting.name}: "${text}" is not ${check.wanted(setting)}`)
}

/** `host:port`, `[v6]:port`; null for anything else. Port 0: any free one. */
export function addressOf(text: string): Address | null {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text)
  if (match === null) return null
  const port = Number(match[3])
  const host = match[1] ?? match[2] ?? ''
  return port <= 65_535 ? { host, port } : null
}

/** Null: the flag was not given. */
export function memoryOf(values: Values): number | null {
  const text = values.get('memory')
  return text === undefined ? null : sizeBytes(text)
}

/** How long a drain may take: a longer wait than Node's timers can hold would end at once. */
export function graceMsOf(values: Values): number {
  return Math.min(WAIT_MS_MAX, durationMs(values.get('grace') ?? '') ?? 0)
}
