/**
 * The limits of the contract, each with its argument. Both sides import them, so that a controller
 * can never push what a data plane must refuse.
 * Pinned by decode.test.ts and by a test per limit beside the code that enforces it.
 */

/** One frame. The largest object is a host that 10,000 routes of three rules share: 3 to 4 MB. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024

/** One frame upwards: an acknowledgement with 1,000 rejections of 1 KiB. */
export const UP_FRAME_BYTES_MAX = 1024 * 1024
/** More rejections than these say nothing new: the first ones are reported. */
export const REJECTIONS_MAX = 500

/** One table. 10,000 routes of three rules are 12 MB; ten times that is a mistake or an attack. */
export const TABLE_BYTES_MAX = 128 * 1024 * 1024
export const TABLE_OBJECTS_MAX = 500_000

/** Endpoints of one backend: Kubernetes' own advice ends at 1,000 a slice and some thousands. */
export const ENDPOINTS_MAX = 5_000

/** A silent stream is dead after three of these. */
export const PING_EVERY_MS = 10_000

/**
 * One commit is in flight: the next goes when it was acknowledged, or this long after it was refused
 * (a data plane that refuses in a loop must not keep the controller busy).
 */
export const COMMIT_EVERY_MS = 100

/** Endpoints on disk that are older than this are not trusted: pods live for minutes. */
export const ENDPOINTS_AGE_MS_MAX = 5 * 60_000

/**
 * Texts are limited in bytes, while resources count characters: each of these holds the longest text
 * that a resource may write, at four bytes a character. Keys and names have at most 1,024.
 */
export const KEY_BYTES_MAX = 8 * 1024
/** Sentences that people read: problems, details, reasons. */
export const SENTENCE_BYTES_MAX = 16 * 1024
/** Literal text of paths and headers: 4,096 characters, percent-encoded at twelve bytes each. */
export const LITERAL_BYTES_MAX = 64 * 1024
/** A longer wait than Node's timers can hold would end at once. */
export const WAIT_MS_MAX = 2_147_483_647
/** Nested lists and objects of a body; deeper ones would exhaust the stack of whoever walks them. */
export const JSON_NESTING_MAX = 64

/** A chain of certificates: five of 2 KiB are long, and a client must read them all. */
export const CERTIFICATE_CHAIN_BYTES_MAX = 64 * 1024
export const CERTIFICATES_PER_HOST_MAX = 16
/** DNS names of one certificate; public authorities end at 100. */
export const CERTIFICATE_NAMES_MAX = 1_000

export const RULES_PER_ROUTE_MAX = 64
export const MATCHES_PER_RULE_MAX = 16
export const PREDICATES_PER_MATCH_MAX = 16
export const HOSTS_PER_ROUTE_MAX = 16
export const MAP_ENTRIES_MAX = 16
export const CALLS_PER_AGGREGATE_MAX = 32

/** Longer paths than this get 414; browsers and servers agree on about 8 KiB. */
export const TARGET_BYTES_MAX = 8 * 1024
export const HEADERS_MAX = 100
export const HEADER_BYTES_MAX = 32 * 1024
/** A computed header value: larger ones would push a request over its backend's own limit. */
export const HEADER_VALUE_BYTES_MAX = 4 * 1024

/** An expression's text. @bufbuild/cel parses in time linear in it: 40 ms per 4 KiB at worst. */
export const EXPRESSION_BYTES_MAX = 4 * 1024
/** Nodes of one expression's tree, and nested brackets: what closures and the parser's stack take. */
export const EXPRESSION_NODES_MAX = 1_000
export const EXPRESSION_NESTING_MAX = 32
/** Expression text of one resource: 64 rules of it parse in under a second. */
export const EXPRESSIONS_PER_OBJECT_BYTES_MAX = 128 * 1024
/** Nested comprehensions multiply: three over 150 elements ran for 5 s without a budget. */
export const COMPREHENSION_NESTING_MAX = 2
/** Per evaluation, counted at run time. */
export const EVALUATION_STEPS_MAX = 10_000
export const EVALUATION_BYTES_MAX = 1024 * 1024
/** A pattern's text, its compiled size, and the input it may see. */
export const PATTERN_BYTES_MAX = 256
export const PATTERN_INSTRUCTIONS_MAX = 500
export const PATTERN_INPUT_BYTES_MAX = 8 * 1024

/** Body of a fixed answer, and of a fallback value. */
export const FIXED_BODY_BYTES_MAX = 64 * 1024

/** Bodies that are copied for a mirror, each and together: larger requests are not mirrored. */
export const MIRROR_BODY_BYTES_MAX = 64 * 1024
/** Copies of one worker that have not been answered; further ones are not sent. */
export const MIRRORS_MAX = 128

/** Answers of one worker that are compressed at once; each takes up to 1 MB of tables. */
export const COMPRESSIONS_MAX = 64

/** Answers that one worker keeps, together and each: the oldest make room, larger ones are not kept. */
export const CACHE_BYTES_MAX = 32 * 1024 * 1024
export const CACHED_ANSWER_BYTES_MAX = 1024 * 1024
/** Answers of one address that are kept at once: callers, and what Vary tells apart. */
export const CACHED_PER_TARGET_MAX = 256
/** Old answers of one worker that are asked for again at once; further ones stay old for longer. */
export const REFRESHES_MAX = 64

/** Defaults of a rule's total timeout, an aggregate's deadline and what one may fetch. */
export const TOTAL_TIMEOUT_MS = 30_000
export const AGGREGATE_DEADLINE_MS = 10_000
export const AGGREGATE_CALLS_MAX = 50
export const AGGREGATE_CONCURRENCY_MAX = 12
export const AGGREGATE_BYTES_MAX = 8 * 1024 * 1024

/** Attempts of one request: more would only multiply the load on what is failing. */
export const ATTEMPTS_MAX = 10
/** A stream of a backend that says nothing for so long is given up. */
export const IDLE_TIMEOUT_MS = 300_000
/** Before the first retry at most so long, doubled with each, up to the second. */
export const BACKOFF_BASE_MS = 25
export const BACKOFF_MAX_MS = 250
/** Extra attempts that may be under way, in thousandths of a backend's requests under way … */
export const RETRY_BUDGET_PER_MILLE = 200
/** … and in any case, so that a backend with little traffic has retries at all. */
export const RETRY_BUDGET_MIN = 3
/** Of a request's body that is kept for another attempt. */
export const RETRY_BODY_BYTES_MAX = 64 * 1024

/** GCRA keeps times in 2^-20 ms of a 2^53 range: these bounds keep every sum exact. */
export const RATE_COUNT_MAX = 1_000_000_000
export const RATE_PERIOD_MS_MAX = 31 * 24 * 3_600_000
export const CONCURRENCY_MAX = 1_000_000
