/**
 * What respond leaves to be sent once the exchange is recorded: at least the last byte, so that
 * nobody has a complete answer of which there is no record.
 */

export type Ending =
  /** Nothing was sent yet: an answer without a body is complete with its head. */
  | {
      readonly kind: 'whole'
      readonly status: number
      readonly headers: readonly string[]
      readonly body: Buffer | null
    }
  /** Of a streamed answer: the chunk that completes it, or the mark of its end. */
  | {
      readonly kind: 'last'
      readonly chunk: Buffer | null
      readonly trailers: readonly string[] | null
    }
  /** The client is gone, or must see that the rest will never come. */
  | { readonly kind: 'broken' }

export const BROKEN: Ending = { kind: 'broken' }
