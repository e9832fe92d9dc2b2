/**
 * What the codec takes, each number with its argument. What table and codec share stands in
 * #wire/limits: HEADERS_MAX, HEADER_BYTES_MAX, TARGET_BYTES_MAX.
 * Pinned by parse.test.ts: "every limit is exact".
 */
import { TARGET_BYTES_MAX } from '#wire/limits'

/** The longest one registered has 16 (UPDATEREDIRECTREF has 17); longer ones are garbage. */
export const METHOD_BYTES_MAX = 32

/** Method, two spaces, ` HTTP/1.1`: whatever is longer has a target that is too long. */
export const FIRST_LINE_BYTES_MAX = TARGET_BYTES_MAX + METHOD_BYTES_MAX + 16

/** RFC 9112 section 2.2 asks for at least one; an old client writes one after a body. */
export const EMPTY_LINES_MAX = 2

/** Sixteen digits would not be exact as a number. */
export const LENGTH_DIGITS_MAX = 15

/** Of a chunk's size: 2^52, exact as a number and larger than any disk. */
export const CHUNK_DIGITS_MAX = 13

/** Size and extensions. Nobody uses extensions for more than a signature of 100 bytes. */
export const CHUNK_LINE_BYTES_MAX = 256

/** Interim answers before the last one: a backend that sends more is broken. */
export const INTERIM_MAX = 16
