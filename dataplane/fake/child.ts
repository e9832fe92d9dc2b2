/**
 * Stands below the supervisor in tests: writes its start into a file, then waits, or ends as its
 * argument says.
 */
import { appendFileSync, readFileSync } from 'node:fs'

const [, , file = '', mode = 'wait'] = process.argv

process.on('SIGTERM', () => process.exit(mode === 'stubborn' ? 7 : 0))
appendFileSync(file, `${process.pid} ${process.env['UV_THREADPOOL_SIZE'] ?? ''}\n`)
const starts = readFileSync(file, 'utf8').trim().split('\n').length

switch (mode) {
  case 'usage':
    process.exit(2)
    break
  case 'crashTwice':
    if (starts < 3) process.exit(1)
    break
  default:
}
setInterval(() => undefined, 1_000)
