/**
 * `authenticate` of an AuthPolicy: the ways to show who one is. Which entry judges follows from the
 * credential, never from an order.
 * Proved by decode.test.ts.
 */
import { Audiences, From } from './carrier.ts'
import { SecretKeyRef, SecretRef, Selector } from './reference.ts'
import { exactlyOne, keysMatching, matching, notBoth } from './rule.ts'
import {
  Choice,
  Fields,
  FreeFormObject,
  List,
  Named,
  type Rule,
  type Spec,
  Text,
} from './schema.ts'
import { Duration, Label, Token, Url } from './text.ts'

/** Names of entries; they show in `auth.method`, statuses and metrics. */
export const ENTRY_NAMES = keysMatching(
  '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
  63,
  'Name the entry with lower-case letters, digits and "-". YAML 1.1 reads on, off, yes, no, y, n as true and false: choose another word.',
)

// ---- jwt ------------------------------------------------------------------------------------

const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']

const NO_PRIVATE_KEY: Rule<{ readonly [name: string]: unknown }> = {
  cel: '!has(self.d) && !has(self.k)',
  message: 'This is a private or symmetric key: publish the public key only, and replace this one.',
  check: (jwk) => !PRIVATE.some((member) => Object.hasOwn(jwk, member)),
}

const JwkSchema = FreeFormObject({
  about: 'A public key (RFC 7517).',
  required: {
    kty: Choice({ about: 'Type of the key.', example: 'EC', of: ['RSA', 'EC', 'OKP'] }),
  },
  optional: {
    kid: Text({ about: 'Name of the key; tokens name it.', example: '2026-01', max: 256 }),
    alg: Text({ about: 'The one algorithm it is for.', example: 'ES256', max: 32 }),
    d: Text({ about: 'Private; refused.', example: 'leave it out', max: 4096 }),
    k: Text({ about: 'Symmetric; refused.', example: 'leave it out', max: 4096 }),
  },
  rules: [NO_PRIVATE_KEY],
})

const DISCOVERABLE: Rule<{
  readonly issuer: string
  readonly jwksUri?: string
  readonly keys?: readonly unknown[]
}> = {
  cel: "has(self.jwksUri) || has(self.keys) || self.issuer.startsWith('https://') || self.issuer.startsWith('http://')",
  message: 'Keys are discovered at the issuer, which is no URL: write jwksUri or keys.',
  check: ({ issuer, jwksUri, keys }) =>
    jwksUri !== undefined ||
    keys !== undefined ||
    issuer.startsWith('https://') ||
    issuer.startsWith('http://'),
}

const JwtSchema = Fields({
  about: 'A signed token (RFC 7519).',
  example: '{ issuer: "https://id.example.com", audiences: [shop] }',
  required: {
    issuer: Text({
      about: 'The token’s `iss`, exactly.',
      example: 'https://id.example.com',
      min: 1,
      max: 1024,
    }),
  },
  optional: {
    audiences: Audiences,
    jwksUri: Url({
      about: 'Where the key set is.',
      example: 'https://id.example.com/keys',
      absent: 'as the issuer’s /.well-known/openid-configuration says',
    }),
    keys: List({
      about: 'Public keys, written here instead of fetched.',
      example: '[{ kty: OKP, crv: Ed25519, kid: a, x: "…" }]',
      item: JwkSchema,
      min: 1,
      max: 16,
    }),
    algorithms: List({
      about: 'Accepted algorithms, always bound to the type and size of the key.',
      example: '[ES256, EdDSA]',
      absent: 'all of the list',
      item: Choice({
        of: [
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
          'EdDSA',
        ],
      }),
      min: 1,
      max: 10,
    }),
    clockSkew: Duration({
      about: 'How far clocks may differ.',
      example: '10s',
      absent: '10s',
    }),
    requiredClaims: List({
      about: 'Claims that must be there.',
      example: '[sub, azp]',
      absent: '[sub]',
      item: Text({ min: 1, max: 128 }),
      max: 16,
    }),
    expiry: Choice({
      about: 'Whether a token must have `exp`.',
      example: 'optional',
      absent: 'required',
      of: ['required', 'optional'],
    }),
    from: From('the Authorization header with scheme Bearer'),
  },
  rules: [notBoth('jwksUri', 'keys', 'Write jwksUri or keys, not both.'), DISCOVERABLE],
})
export type JwtSpec = Spec<typeof JwtSchema>

// ---- apiKey ---------------------------------------------------------------------------------

const PEPPER_FITS: Rule<{
  readonly formats?: readonly string[]
  readonly pepperSecretRef?: unknown
}> = {
  cel: "(has(self.formats) && 'imported' in self.formats) == has(self.pepperSecretRef)",
  message: 'The format imported needs a pepperSecretRef, and only it does.',
  check: ({ formats, pepperSecretRef }) =>
    (formats?.includes('imported') ?? false) === (pepperSecretRef !== undefined),
}

const ApiKeySchema = Fields({
  about: 'A key of an ApiKey resource.',
  example: '{ from: [{ header: { name: x-api-key } }], consumers: { namespaces: [partners] } }',
  optional: {
    from: From('the header x-api-key'),
    consumers: Fields({
      about: 'Whose keys are accepted.',
      example: '{ namespaces: [partners], selector: { matchLabels: { partner: "true" } } }',
      absent: 'those of the Consumers of the policy’s own namespace',
      optional: {
        namespaces: List({
          about: 'Namespaces of Consumers; others than the policy’s own need a ReferenceGrant.',
          example: '[partners]',
          absent: 'the policy’s own',
          item: Label({}),
          min: 1,
          max: 16,
        }),
        selector: Selector({
          about: 'Labels of Consumers.',
          example: '{ matchLabels: { partner: "true" } }',
          absent: 'all',
        }),
      },
    }),
    formats: List({
      about: 'Which keys: made by `fairlead key create`, or brought along from elsewhere.',
      example: '[fairlead, imported]',
      absent: '[fairlead]',
      item: Choice({ of: ['fairlead', 'imported'] }),
      min: 1,
      max: 2,
    }),
    pepperSecretRef: SecretKeyRef(
      {
        about: 'Secret of type fairlead.dev/pepper with which imported keys are hashed.',
        example: '{ name: pepper }',
      },
      'pepper',
    ),
  },
  rules: [PEPPER_FITS],
})
export type ApiKeyAuthenticationSpec = Spec<typeof ApiKeySchema>

// ---- the others -----------------------------------------------------------------------------

const BasicSchema = Fields({
  about: 'Name and password (RFC 7617).',
  example: '{ secretRef: { name: users } }',
  required: {
    secretRef: SecretRef({
      about: 'Secret of type fairlead.dev/basic-users.',
      example: '{ name: users }',
    }),
  },
})

const MtlsSchema = Fields({
  about: 'A client certificate.',
  example: '{ caSecretRef: { name: partner-ca } }',
  required: {
    caSecretRef: SecretRef({
      about: 'Secret of type fairlead.dev/ca: certificates of the issuers.',
      example: '{ name: partner-ca }',
    }),
  },
})

const IntrospectionSchema = Fields({
  about: 'An opaque token that its issuer is asked about (RFC 7662).',
  example: '{ endpoint: "https://id.example.com/introspect", secretRef: { name: client } }',
  required: {
    endpoint: Url({ about: 'Where to ask.', example: 'https://id.example.com/introspect' }),
    secretRef: SecretRef({
      about: 'Secret of type fairlead.dev/oauth-client with which the gateway asks.',
      example: '{ name: client }',
    }),
  },
  optional: {
    audiences: Audiences,
    timeout: Duration({ about: 'How long the answer may take.', example: '1s', absent: '2s' }),
    cache: Duration({
      about: 'How long an answer is believed, at most until the token expires.',
      example: '30s',
      absent: '30s',
    }),
    from: From('the Authorization header with scheme Bearer'),
  },
})

const ServiceAccountSchema = Fields({
  about: 'A token of a Kubernetes ServiceAccount of this cluster.',
  example: '{ audiences: [shop] }',
  required: {
    audiences: List({
      about: 'Accepted audiences: one of them must be in the token’s `aud`.',
      example: '[shop]',
      item: Text({ min: 1, max: 1024 }),
      min: 1,
      max: 16,
    }),
  },
})

const HmacSchema = Fields({
  about: 'A signature over parts of the request (RFC 9421).',
  example: '{ secretRef: { name: signers }, components: ["@method", "@path", content-digest] }',
  required: {
    secretRef: SecretRef({
      about: 'Secret of type fairlead.dev/hmac: a key per key id.',
      example: '{ name: signers }',
    }),
  },
  optional: {
    components: List({
      about: 'What must be covered by the signature.',
      example: '["@method", "@path", content-digest]',
      absent: '["@method", "@authority", "@path", "@query"]',
      item: Text({
        min: 1,
        max: 128,
        rules: [
          matching(
            '^(@[a-z-]+|[a-z0-9-]+)$',
            'Write a component such as "@method" or content-digest.',
          ),
        ],
      }),
      min: 1,
      max: 16,
    }),
    maxAge: Duration({ about: 'How old a signature may be.', example: '5m', absent: '5m' }),
  },
})

const OidcSchema = Fields({
  about: 'Login in a browser: code flow with PKCE, and a session in an encrypted cookie.',
  example: '{ issuer: "https://id.example.com", secretRef: { name: client } }',
  required: {
    issuer: Url({ about: 'The issuer.', example: 'https://id.example.com' }),
    secretRef: SecretRef({
      about: 'Secret of type fairlead.dev/oauth-client.',
      example: '{ name: client }',
    }),
  },
  optional: {
    scopes: List({
      about: 'Scopes that are asked for.',
      example: '[openid, profile]',
      absent: '[openid]',
      item: Text({ min: 1, max: 128 }),
      max: 16,
    }),
    callbackPath: Text({
      about: 'Path to which the issuer sends the browser back.',
      example: '/oauth2/callback',
      absent: '/oauth2/callback',
      min: 1,
      max: 256,
      rules: [matching('^/[^?#\\x00-\\x20\\x7f]*$', 'Write a path that starts with "/".')],
    }),
    logoutPath: Text({
      about: 'Path that ends the session.',
      example: '/oauth2/logout',
      absent: '/oauth2/logout',
      min: 1,
      max: 256,
      rules: [matching('^/[^?#\\x00-\\x20\\x7f]*$', 'Write a path that starts with "/".')],
    }),
    cookie: Token({ about: 'Name of the cookie.', example: 'session', absent: 'fl_session' }),
    lifetime: Duration({ about: 'How long a session lasts.', example: '8h', absent: '8h' }),
  },
})

const METHODS = {
  jwt: JwtSchema,
  apiKey: ApiKeySchema,
  basic: BasicSchema,
  mtls: MtlsSchema,
  introspection: IntrospectionSchema,
  serviceAccount: ServiceAccountSchema,
  hmac: HmacSchema,
  oidc: OidcSchema,
  anonymous: Fields({
    about: 'Nobody in particular: only where no credential is presented.',
    example: '{}',
  }),
}

export const AuthenticateEntrySchema = Fields({
  about: 'One way to show who one is.',
  optional: METHODS,
  rules: [
    exactlyOne(Object.keys(METHODS), `Write exactly one of ${Object.keys(METHODS).join(', ')}.`),
  ],
})

export const AuthenticateSchema = Named({
  about:
    'Ways to show who one is, by name: one must succeed, and every credential presented must verify. One unit: the most specific policy that states it replaces it as a whole.',
  example: '{ staff: { jwt: { issuer: "https://id.example.com", audiences: [shop] } } }',
  value: AuthenticateEntrySchema,
  min: 1,
  max: 16,
  rules: [ENTRY_NAMES],
})
