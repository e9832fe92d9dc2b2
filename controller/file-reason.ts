/**
 * Why a file or folder that somebody named cannot be used, in words: codes of the system help
 * nobody, and its sentences name the path a second time.
 * Pinned by file-reason.test.ts: "what the system says of a file is said in words".
 */

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'it is a file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its links lead in a circle',
  EMFILE: 'too many files are open',
  EIO: 'the disk fails',
}

/** `EBUSY: resource busy or locked, open '/a'`: a code, words, and what the system was asked. */
const SYSTEM = /^E[A-Z0-9]+: ([^,]+)(?:, .*)?$/

/** For what is not of the file system: its own message. */
export function fileReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return REASONS[code] ?? SYSTEM.exec(error.message)?.[1] ?? error.message
}
