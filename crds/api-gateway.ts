/**
 * ApiGateway: a named set of data planes, and what its operator allows. The chart installs one.
 * Pinned by emit.test.ts: "the manifests are what the schemas say".
 */
import { Selector } from './reference.ts'
import { distinct } from './rule.ts'
import { Choice, Fields, Int, List, type Spec } from './schema.ts'
import { Cidr, Destination, HostOrAny, Label, ObjectName } from './text.ts'

export const ApiGatewaySchema = Fields({
  about: 'Where the data planes are, and what they may be used for.',
  example: '{ dataPlanes: { serviceAccount: fairlead-public, service: fairlead-public } }',
  required: {
    dataPlanes: Fields({
      about: 'The data planes; they are in the namespace of this object.',
      example: '{ serviceAccount: fairlead-public, service: fairlead-public }',
      required: {
        serviceAccount: ObjectName({
          about: 'ServiceAccount they run under: whoever has its token gets the table.',
          example: 'fairlead-public',
        }),
        service: ObjectName({
          about: 'Service whose ready endpoints are the members.',
          example: 'fairlead-public',
        }),
      },
    }),
  },
  optional: {
    listeners: List({
      about:
        'Ports that they listen on, as their own settings open them: Programmed is False where a data plane does not listen there.',
      example: '[{ name: http, port: 8080, protocol: HTTP }]',
      absent: 'as their own settings say',
      min: 1,
      max: 16,
      item: Fields({
        about: 'One port.',
        required: {
          name: Label({ about: 'Name, unique in the gateway.', example: 'https' }),
          port: Int({ about: 'Port.', example: '8443', min: 1, max: 65_535 }),
          protocol: Choice({ about: 'Protocol.', example: 'HTTPS', of: ['HTTP', 'HTTPS'] }),
        },
      }),
      rules: [
        distinct('name', 'Two listeners have the same name; rename one.'),
        distinct('port', 'Two listeners have the same port; change one.'),
      ],
    }),
    allowedNamespaces: Fields({
      about: 'Namespaces whose routes it serves.',
      example: '{ selector: { matchLabels: { apis: "true" } } }',
      absent: 'all',
      required: {
        selector: Selector({
          about: 'Labels of the namespaces.',
          example: '{ matchLabels: { apis: "true" } }',
        }),
      },
    }),
    hosts: Fields({
      about: 'Which namespace owns which host.',
      example:
        '{ grants: [{ host: "*.shop.example.com", namespaces: [shop] }], ungranted: refuse }',
      optional: {
        grants: List({
          about: 'Hosts that are given to namespaces.',
          example: '[{ host: "*.shop.example.com", namespaces: [shop] }]',
          max: 256,
          item: Fields({
            about: 'One host and who may use it.',
            required: {
              host: HostOrAny({
                about:
                  'Host, one with a leading wildcard for all below, or * for routes without hosts.',
                example: '"*.shop.example.com"',
              }),
              namespaces: List({
                about: 'Namespaces.',
                example: '[shop]',
                item: Label({}),
                min: 1,
                max: 16,
              }),
            },
          }),
        }),
        ungranted: Choice({
          about:
            'Hosts that no grant names: they go to the namespace of the oldest route, or to nobody.',
          example: 'refuse',
          absent: 'firstCome',
          of: ['firstCome', 'refuse'],
        }),
      },
    }),
    routeDefaults: Fields({
      about: 'What holds for routes that do not say.',
      example: '{ auth: required }',
      optional: {
        auth: Choice({
          about:
            'Whether a rule without a policy and without `public: true` is refused with 503, or served.',
          example: 'optional',
          absent: 'required',
          of: ['required', 'optional'],
        }),
      },
    }),
    trustedProxies: List({
      about: 'Addresses of proxies in front whose X-Forwarded-* is believed.',
      example: '[10.0.0.0/8]',
      absent: 'none',
      item: Cidr({}),
      max: 64,
    }),
    egress: Fields({
      about: 'Where URLs of resources may lead.',
      example: '{ allow: [id.internal.example.com] }',
      optional: {
        allow: List({
          about:
            'Private addresses and plain-http hosts that are allowed. Services of a policy’s own namespace need no entry: data planes call them at their cluster IP.',
          example: '[id.internal.example.com, 10.20.0.0/16]',
          absent: 'none: public https only',
          item: Destination({}),
          max: 64,
        }),
      },
    }),
    epoch: Int({
      about:
        'Raise it after etcd was restored from a backup: data planes then accept older versions.',
      example: '1',
      absent: '0',
      min: 0,
      max: 1_000_000,
    }),
  },
})
export type ApiGatewaySpec = Spec<typeof ApiGatewaySchema>
