/**
 * Every condition type and reason that a status can hold: the words that users see, wait for and
 * alert on. Closed: a word that is not here cannot be written.
 * Pinned by test/docs.test.ts: "docs/status.md and crds/condition.ts name the same reasons".
 */

export const CONDITION_TYPES = [
  'Accepted', // what was written is valid and attached
  'Programmed', // every data plane ran this generation at one moment; latched from then on
  'DataPlanesInSync', // ApiGateway only: all its ready data planes run the newest table
] as const
export type ConditionType = (typeof CONDITION_TYPES)[number]

export const CONDITION_REASONS = [
  // Accepted
  'Accepted', // everything in it is valid
  'PartiallyAccepted', // some rules, targets or entries are valid and run, others are not
  'Invalid', // the spec contradicts itself or the schema
  'Conflicted', // an older object already states this
  'TargetNotFound', // a targetRef or gateway names what does not exist
  'RefNotPermitted', // a reference to another namespace has no ReferenceGrant
  'BackendNotFound', // a Service or its port does not exist
  'SecretInvalid', // a Secret is missing, may not be read, or is of the wrong type
  'HostNotOwned', // the host belongs to another namespace
  'InvalidExpression', // CEL that does not parse, or names what it may not use
  'NotSupportedYet', // a field whose behaviour this release does not have
  'TooExpensive', // an expression or pattern beyond the limits
  'TooLarge', // a host, or the whole table of a gateway, is more than a data plane takes
  'PolicyMissing', // a rule that is not public has no policy that authenticates
  'UnknownField', // a field that the schema does not have
  // Programmed
  'Programmed', // every member runs it
  'Reconciling', // not yet everywhere
  'PartiallyProgrammed', // some gateways or targets run it, others do not
  'Overridden', // a policy above it closes everything that it states
  'NoDataPlanes', // the gateway has no ready data plane
  'Rejected', // a data plane cannot execute it
  'NotAccepted', // nothing of it runs
  // DataPlanesInSync
  'InSync', // all run the newest table
  'OutOfSync', // some do not, by name
] as const
export type ConditionReason = (typeof CONDITION_REASONS)[number]
