/**
 * A front with one real backend behind it, for tests that look at bytes on both sides.
 */
import type { TestContext } from 'node:test'
import type { PreparedProxy } from '../../runtime/runtime.ts'
import { placed } from '../../upstream/fake/options.ts'
import { type Recorder, type Script, startRecorder } from '../../upstream/fake/recorder.ts'
import { type Answering, type FrontUnderTest, startFront } from './front.ts'

/** To the backend of `startProxied`. */
export const PROXY: PreparedProxy = {
  kind: 'proxy',
  conditional: null,
  single: { kind: 'backend', backend: 'b' },
  weighted: [],
}

export interface Proxied extends FrontUnderTest {
  readonly server: Recorder
}

export async function startProxied(
  t: TestContext,
  script: Script,
  answering: Answering,
): Promise<Proxied> {
  const server = await startRecorder(script)
  t.after(() => server.close())
  const under = await startFront(t, answering)
  under.upstream.backends(new Map([['b', { protocol: 'http', clusterAddress: null }]]))
  const endpoints = [{ address: '127.0.0.1', port: server.port, zone: null }]
  under.upstream.endpoints(placed({ backend: 'b', version: 1, endpoints }))
  return { ...under, server }
}
