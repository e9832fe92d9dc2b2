/**
 * How many bytes an object takes on the wire, known from the text of its digest alone: both ends
 * hold a table to the same limits, and the controller need not write a frame to know its length.
 * Pinned by size.test.ts: "the size of an object is the length of its frame".
 */

/** What the frame of a `put` has that the text of the digest has not. */
const AROUND =
  '{"type":"put","object":{"kind":,"key":,"sources":,"value":,"digest":""}}'.length +
  64 -
  '[,,,]'.length

/** Of the `put` of the object whose digest is made over this text; without its line break. */
export function putBytes(digested: string): number {
  return Buffer.byteLength(digested) + AROUND
}

/** What so many bytes become in a string of base64. */
export function base64Bytes(bytes: number): number {
  return Math.ceil(bytes / 3) * 4
}
