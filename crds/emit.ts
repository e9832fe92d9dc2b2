/**
 * Schemas → CustomResourceDefinitions, as YAML that is the same for the same schema: the manifests
 * that are committed and installed.
 * Pinned by emit.test.ts: "every manifest is a structural schema without a forbidden keyword".
 */
import { Document, isScalar, visit } from 'yaml'
import type { KindFacts } from './kinds.ts'
import type { Rule, SchemaNode } from './schema.ts'

type Emitted = { readonly [key: string]: unknown }

/** The file of a kind. ReferenceGrant is not ours and is installed only where it is missing. */
export function manifestFile(facts: KindFacts): string {
  return facts.kind === 'ReferenceGrant'
    ? 'optional/gateway.networking.k8s.io_referencegrants.yaml'
    : `${facts.group}_${facts.plural}.yaml`
}

export function manifest(facts: KindFacts): string {
  const document = new Document(definition(facts), { aliasDuplicateObjects: false })
  document.commentBefore = ' Generated from crds/ by `node crds/generate.ts`; do not edit.'
  visit(document, {
    // Lists of words on one line: a third of a manifest would be their indentation.
    Seq(_, list) {
      list.flow = list.items.every((item) => isScalar(item))
    },
  })
  return document.toString({ lineWidth: 0, indentSeq: false })
}

export function definition(facts: KindFacts): Emitted {
  const { group, kind, plural, shortNames, scope, annotations } = facts
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: {
      group,
      names: {
        categories: ['fairlead'],
        kind,
        listKind: `${kind}List`,
        plural,
        shortNames,
        singular: kind.toLowerCase(),
      },
      scope,
      versions: [version(facts)],
    },
  }
}

function version(facts: KindFacts): Emitted {
  const spec: SchemaNode = facts.spec
  const status: SchemaNode | null = facts.status
  return {
    name: facts.versions[0],
    served: true,
    storage: true,
    additionalPrinterColumns: facts.columns,
    schema: {
      openAPIV3Schema: {
        type: 'object',
        description: facts.about,
        required: ['spec'],
        properties: {
          apiVersion: {
            type: 'string',
            description: 'Version of the API this object is written in.',
          },
          kind: { type: 'string', description: 'Kind of the object.' },
          metadata: { type: 'object' },
          spec: emitted(spec),
          ...(status === null ? {} : { status: emitted(status) }),
        },
      },
    },
    ...(status === null ? {} : { subresources: { status: {} } }),
  }
}

/** Keywords that are copied as they are, in the order in which they are written. */
const KEYWORDS = [
  'type',
  'description',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'required',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
] as const satisfies readonly (keyof SchemaNode)[]

export function emitted(node: SchemaNode): Emitted {
  const copied = KEYWORDS.filter((keyword) => node[keyword] !== undefined)
  const validations = (node.rules ?? []).flatMap(validation)
  return {
    ...Object.fromEntries(copied.map((keyword) => [keyword, node[keyword]])),
    ...(validations.length === 0 ? {} : { 'x-kubernetes-validations': validations }),
    ...(node.properties === undefined ? {} : { properties: emittedAll(node.properties) }),
    ...(node.additionalProperties === undefined
      ? {}
      : { additionalProperties: emitted(node.additionalProperties) }),
    ...(node.items === undefined ? {} : { items: emitted(node.items) }),
  }
}

function emittedAll(properties: Readonly<Record<string, SchemaNode>>): Emitted {
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, emitted(property)]),
  )
}

function validation(rule: Rule<unknown>): readonly Emitted[] {
  if (rule.cel === null) return []
  const place = rule.at === undefined ? {} : { fieldPath: `.${rule.at}` }
  return [{ rule: rule.cel, message: rule.message, ...place }]
}
