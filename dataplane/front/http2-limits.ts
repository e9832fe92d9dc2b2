/**
 * What one client's connection over HTTP/2 may make large or often, each with its argument. The
 * library enforces those of OPTIONS in http2.ts, http2-connection.ts the rest.
 * Pinned by test/docs.test.ts: "docs/protocols.md has every bound of HTTP/2 with its value".
 */
import { HEADER_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX } from '#wire/limits'

/** As other gateways at the edge have it: what one connection may make us do at once. */
export const STREAMS_MAX = 100
/** What a stream may send before anybody reads it; of all streams together 6.4 MB. */
export const STREAM_WINDOW_BYTES = 64 * 1024
/** Beyond HEADERS_MAX comes an answer with a body and a record; beyond this a reset. */
export const FIELDS_MAX = 2 * HEADERS_MAX + 8
/** Likewise beyond HEADER_BYTES_MAX. */
export const FIELDS_BYTES_MAX = 2 * TARGET_BYTES_MAX + 2 * HEADER_BYTES_MAX
/** Headers, streams and frames of one connection that wait, as node:http2 counts them. */
export const SESSION_BYTES_MAX = 4_000_000
/** Streams beyond STREAMS_MAX, which are refused one by one. */
export const REFUSED_STREAMS_MAX = 100
/** Frames that are none. */
export const INVALID_FRAMES_MAX = 100
/** Settings in one frame: there are ten that mean anything. */
export const SETTINGS_ENTRIES_MAX = 32

/**
 * Streams that the client resets, and those that end otherwise without an answer because of what it
 * sent (CVE-2023-44487, CVE-2025-8671). A page that is left resets all that it was loading, once.
 */
export const RESETS_BURST = 200
export const RESETS_PER_SECOND = 30
/** A client states its settings once, and perhaps changes them once. */
export const SETTINGS_BURST = 20
export const SETTINGS_PER_SECOND = 1
/**
 * Some libraries send a PING with each burst of data to learn the delay of the line, which is a
 * thousand a second in one rack. Each costs 5 µs.
 */
export const PINGS_BURST = 2_000
export const PINGS_PER_SECOND = 1_000
