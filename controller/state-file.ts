/**
 * Files of a state folder that must be whole whenever they are read: certificates, last valid specs.
 * For whoever runs without a cluster to keep them in.
 * Pinned by state-file.test.ts: "a file is the old one or the new one, and only its owner reads it".
 */
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Written aside, synced and renamed, with the folder: a crash leaves the old file or the new one. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const aside = `${path}.new`
  await rm(aside, { force: true }) // one that a crash has left may have other rights
  await writeSynced(aside, text)
  await rename(aside, path)
  await syncFolder(folder)
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Else a power cut could bring back the file that was replaced. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
