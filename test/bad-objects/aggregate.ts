/**
 * Bad ApiRoutes: aggregates, their calls and the answer made of them.
 */
import { type BadObject, UNSEEN, badAggregate, badCall, call, own } from './bad-object.ts'

const FOR_EACH = { in: 'calls.order.body.lines', as: 'line', max: 50 }

const CALLS: readonly BadObject[] = [
  badAggregate(
    'aggregate: no calls',
    { calls: {} },
    {
      path: '~.calls',
      says: 'At least one entry is needed here.',
      inCluster: own('should have at least 1 properties'),
    },
  ),
  badAggregate(
    'aggregate: 33 calls',
    {
      calls: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`c${i}`, call({})])),
    },
    {
      path: '~.calls',
      says: 'At most 32 entries are possible here; there are 33.',
      inCluster: own('must have at most 32 items'),
    },
  ),
  badAggregate(
    'aggregate: a call with a dash in its name',
    { calls: { 'my-order': call({}) } },
    {
      path: '~.calls',
      says: 'The name of a call is a word such as order or orderLines; YAML 1.1 reads on, off, yes, no, y, n as true and false. Not so: "my-order".',
      inCluster: own('The name of a call is a word such as order or orderLines;'),
    },
  ),
  badAggregate(
    'aggregate: a call called false',
    { calls: { false: call({}) } },
    {
      path: '~.calls.false',
      says: 'YAML 1.1 makes of off, no and n',
      inCluster: own('The name of a call is a word', 'spec.rules[0].aggregate.calls'),
    },
  ),
  badAggregate(
    'aggregate: a call called in',
    { calls: { in: call({}) } },
    {
      path: '~.calls',
      says: 'may not be a reserved word of CEL',
    },
  ),
  badAggregate(
    'aggregate: calls as a list',
    { calls: [call({})] },
    {
      path: '~.calls',
      says: 'This must be an object (key: value), and is a list.',
      inCluster: own('unknown field "spec.rules[0].aggregate.calls[0].backend"'),
    },
  ),
  badCall(
    'call: no backend',
    { backend: undefined },
    {
      path: '~.backend',
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  badCall(
    'call: no path',
    { path: undefined },
    {
      path: '~.path',
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  badCall(
    'call: a path without its slash',
    { path: '${request.path}' },
    {
      path: '~.path',
      says: 'The path of a call starts with "/".',
    },
  ),
  badCall(
    'call: detached with a fallback',
    { detached: true, fallback: { none: true } },
    {
      path: '~',
      says: 'Nothing waits for a detached call',
    },
  ),
  badCall(
    'call: detached is false',
    { detached: false },
    {
      path: '~.detached',
      says: 'Write detached: true, or remove it.',
    },
  ),
  badCall(
    'call: an unknown field',
    { fallbak: { none: true } },
    {
      path: '~.fallbak',
      says: 'did you mean fallback?',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.rules[0].aggregate.calls.order.fallbak"'),
    },
  ),
  badCall(
    'call: nine headers',
    {
      headers: { set: Array.from({ length: 9 }, (_, i) => ({ name: `x-${i}`, value: 'a' })) },
    },
    {
      path: '~.headers.set',
      says: 'At most 8 items',
      inCluster: own('must have at most 8 items'),
    },
  ),
  badCall(
    'call: an unknown group of headers',
    { headers: { forward: ['all'] } },
    {
      path: '~.headers.forward[0]',
      says: 'Possible: identity, trace.',
      inCluster: own('Unsupported value: "all"'),
    },
  ),
  badCall(
    'call: a status that is no range',
    { expect: { status: ['2x'] } },
    {
      path: '~.expect.status[0]',
      says: 'a class such as 2xx',
      inCluster: own('should match'),
    },
  ),
  badCall(
    'call: status 700',
    { expect: { status: [700] } },
    {
      path: '~.expect.status[0]',
      says: 'Write a status such as 200',
      inCluster: own('should be less than or equal to 599'),
    },
  ),
  badCall(
    'call: no media type',
    { expect: { contentType: 'json' } },
    {
      path: '~.expect.contentType',
      says: 'Write a media type such as application/json.',
    },
  ),
]

const FALLBACKS: readonly BadObject[] = [
  badCall(
    'fallback: value and none',
    { fallback: { value: 1, none: true } },
    {
      path: '~.fallback',
      says: 'Write exactly one of value, none.',
      inCluster: own('must have at most 1 item'),
    },
  ),
  badCall(
    'fallback: neither',
    { fallback: {} },
    {
      path: '~.fallback',
      says: 'Write exactly one of value, none.',
      inCluster: own('should have at least 1 properties'),
    },
  ),
  badCall(
    'fallback: none is false',
    { fallback: { none: false } },
    {
      path: '~.fallback.none',
      says: 'Write none: true, or value',
    },
  ),
  badCall(
    'fallback: a null inside the value',
    { fallback: { value: { name: null } } },
    {
      path: '~.fallback.value.name',
      says: 'A literal null is lost on the way',
      inCluster: UNSEEN,
    },
  ),
]

const EACH: readonly BadObject[] = [
  badCall(
    'forEach: no max',
    { forEach: { in: 'calls.order.body', as: 'line' } },
    {
      path: '~.forEach.max',
      says: 'How many items at most',
      inCluster: own('Required value'),
    },
  ),
  badCall(
    'forEach: max 0',
    { forEach: { ...FOR_EACH, max: 0 } },
    {
      path: '~.forEach.max',
      says: 'write a number from 1 to 1000',
      inCluster: own('should be greater than or equal to 1'),
    },
  ),
  badCall(
    'forEach: a variable in upper case',
    { forEach: { ...FOR_EACH, as: 'Line' } },
    {
      path: '~.forEach.as',
      says: 'Write a name such as line or orderLine.',
    },
  ),
  badCall(
    'forEach: a variable that is taken',
    { forEach: { ...FOR_EACH, as: 'request' } },
    {
      path: '~.forEach.as',
      says: 'This word is taken in expressions',
    },
  ),
  badCall(
    'forEach: an empty expression',
    { forEach: { ...FOR_EACH, in: '' } },
    {
      path: '~.forEach.in',
      says: 'The expression is empty.',
    },
  ),
  badCall(
    'forEach: an unknown overflow',
    { forEach: { ...FOR_EACH, overflow: 'cut' } },
    {
      path: '~.forEach.overflow',
      says: 'Possible: fail, truncate.',
      inCluster: own('Unsupported value: "cut"'),
    },
  ),
]

const ANSWER: readonly BadObject[] = [
  badAggregate(
    'aggregate: no response',
    { response: undefined },
    {
      path: '~.response',
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  badAggregate(
    'aggregate: no body',
    { response: { status: 200 } },
    {
      path: '~.response.body',
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  badAggregate(
    'aggregate: a status as text',
    { response: { status: '200', body: 'x' } },
    {
      path: '~.response.status',
      says: 'or a template such as ${calls.order.status}',
      inCluster: own('should match'),
    },
  ),
  badAggregate(
    'aggregate: status 100',
    { response: { status: 100, body: 'x' } },
    {
      path: '~.response.status',
      says: 'Write a status from 200 to 599',
      inCluster: own('should be greater than or equal to 200'),
    },
  ),
  badAggregate(
    'aggregate: a null in the body',
    { response: { body: { a: [null] } } },
    {
      path: '~.response.body.a[0]',
      says: 'write "${null}"',
      inCluster: UNSEEN,
    },
  ),
  badAggregate(
    'aggregate: a field called true in the body',
    { response: { body: { true: 1 } } },
    {
      path: '~.response.body.true',
      says: 'YAML 1.1 makes of on, yes and y',
      inCluster: UNSEEN,
    },
  ),
  badAggregate(
    'aggregate: a field for errors that is none',
    { errors: { field: 'my errors' } },
    {
      path: '~.errors.field',
      says: 'Write a field name such as _errors.',
    },
  ),
  badAggregate(
    'aggregate: a deadline without its unit',
    { deadline: '800' },
    {
      path: '~.deadline',
      says: 'Write a duration with its unit',
    },
  ),
  badAggregate(
    'aggregate: a size that is none',
    { limits: { totalBytes: '8 MB' } },
    {
      path: '~.limits.totalBytes',
      says: 'Write a size such as 64Ki',
      inCluster: own('should match'),
    },
  ),
  badAggregate(
    'aggregate: an unknown danger',
    { acknowledge: ['unsafe'] },
    {
      path: '~.acknowledge[0]',
      says: 'Possible: unsafeCalls.',
      inCluster: own('Unsupported value: "unsafe"'),
    },
  ),
]

export const BAD_AGGREGATES: readonly BadObject[] = [...CALLS, ...FALLBACKS, ...EACH, ...ANSWER]
