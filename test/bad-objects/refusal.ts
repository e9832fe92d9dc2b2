/**
 * Whether a real API server refused a bad object as the table says: with the same sentence where the
 * rule is ours, with its own words about structure, at the same place.
 */
import type { BadObject } from './bad-object.ts'

/** The parts of a Status that matter. */
export interface ServerAnswer {
  readonly status: number
  readonly message: string
  /** `details.causes[].field`. */
  readonly fields: readonly string[]
}

/** Reads the JSON body of an answer. */
export function serverAnswer(status: number, body: unknown): ServerAnswer {
  const { message, details } = fieldsOf(body)
  const { causes } = fieldsOf(details)
  const fields = Array.isArray(causes) ? causes.map((cause) => fieldsOf(cause)['field']) : []
  return {
    status,
    message: typeof message === 'string' ? message : '',
    fields: fields.filter((field) => typeof field === 'string'),
  }
}

/** Null where it did; else what is different. Ask with `dryRun=All&fieldValidation=Strict`. */
export function difference(bad: BadObject, answer: ServerAnswer): string | null {
  const { inCluster } = bad
  const isTaken = answer.status === 201
  if (inCluster.kind === 'taken') return isTaken ? null : `refused: ${answer.message}`
  if (isTaken) return 'taken'
  const says = inCluster.kind === 'own' ? inCluster.says : bad.says
  if (!answer.message.includes(says)) return `says ${answer.message}, not ${says}`
  // A strict decoding error is about the whole document; its message holds the path.
  if (answer.message.includes('strict decoding error')) return null
  const path = plainPath((inCluster.kind === 'own' ? inCluster.path : undefined) ?? bad.path)
  if (answer.fields.some((field) => plainPath(field) === path)) return null
  return `is about ${answer.fields.join(', ')}, not ${path}`
}

/** It writes keys of maps as `[key]` in some messages and as `.key` in others. */
function plainPath(path: string): string {
  return path.replaceAll(/\["?([^\]\d"][^\]"]*)"?\]/g, (_, key: string) => `.${key}`)
}

function fieldsOf(value: unknown): { readonly [field: string]: unknown } {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
