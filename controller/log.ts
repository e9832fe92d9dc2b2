/**
 * What the controller says of itself. A pino logger fits; tests pass a list.
 */
export interface Logger {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}
