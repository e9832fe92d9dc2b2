/**
 * The charts: what they render, that a real API server takes it, and what they refuse.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { join } from 'node:path'
import { listAt, textAt, at } from '../../controller/kube/fields.ts'
import { COMMANDS } from '../../controller/cli/settings.ts'
import { helm, output, startCluster } from './cluster.ts'
import { charts, installKinds, renderChart, type Rendered, SYSTEM } from './stage.ts'

const fairlead = join(charts, 'fairlead')
const ending = { after }
const starting = (async () => {
  const cluster = await startCluster(ending)
  await installKinds(cluster)
  for (const namespace of [SYSTEM, 'shop', 'search']) {
    await cluster.kubectl(['create', 'namespace', namespace])
  }
  const enforce = 'pod-security.kubernetes.io/enforce=restricted'
  await cluster.kubectl(['label', 'namespace', SYSTEM, enforce])
  return cluster
})()

/** Everything that can be set, set to something else than it is. */
const EVERYTHING = {
  image: {
    repository: 'registry.example.com/team/fairlead',
    digest: `sha256:${'0'.repeat(64)}`,
    pullPolicy: 'Always',
    pullSecrets: ['pull'],
  },
  gateway: {
    create: true,
    name: 'public',
    spec: {
      listeners: [
        { name: 'http', port: 8080, protocol: 'HTTP' },
        { name: 'https', port: 8443, protocol: 'HTTPS' },
      ],
      allowedNamespaces: { selector: { matchLabels: { apis: 'true' } } },
      hosts: { ungranted: 'refuse' },
      trustedProxies: ['10.0.0.0/8'],
      egress: { allow: ['id.internal.example.com'] },
      epoch: 1,
    },
  },
  secrets: { mode: 'namespaced', namespaces: ['shop', 'search'] },
  controller: common(),
  dataPlane: {
    ...common(),
    workers: 4,
    graceSeconds: 60,
    preStopSeconds: 5,
    tls: { enabled: true, minVersion: '1.3', ciphers: 'TLS_AES_256_GCM_SHA384' },
    service: {
      type: 'LoadBalancer',
      port: 8080,
      httpsPort: 9443,
      annotations: { a: 'b' },
      externalTrafficPolicy: 'Local',
      loadBalancerClass: 'example.com/lb',
    },
  },
}

function common(): object {
  return {
    replicas: 3,
    resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { memory: '2Gi' } },
    podDisruptionBudget: { create: true, maxUnavailable: '25%' },
    topologyKeys: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'],
    serviceAccount: { annotations: { 'example.com/role': 'x' } },
    podAnnotations: { a: 'b' },
    podLabels: { team: 'platform' },
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'a', operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    priorityClassName: 'system-cluster-critical',
  }
}

function set(values: object): string[] {
  return Object.entries(values).map(([key, value]) => `--set-json=${key}=${JSON.stringify(value)}`)
}

const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  'the defaults': [],
  'everything set': set(EVERYTHING),
  'the Secrets of all namespaces': set({ secrets: { mode: 'cluster' } }),
  'the least': set({
    gateway: { create: false },
    controller: { replicas: 1, podDisruptionBudget: { create: false } },
    dataPlane: { replicas: 0, podDisruptionBudget: { create: false }, tls: { enabled: false } },
  }),
}

test('helm lint finds nothing in either chart', async () => {
  const said = await helm(['lint', '--strict', join(charts, 'fairlead-crds'), fairlead])
  assert.match(said, /2 chart\(s\) linted, 0 chart\(s\) failed/)
})

test('the chart of the kinds is what the manifests say', async () => {
  await output(process.execPath, [join(charts, '..', 'test', 'generate-chart.ts'), '--check'])
  const args = ['crds', join(charts, 'fairlead-crds'), '--set=referenceGrant.create=true']
  const rendered = await renderChart(args)
  assert.equal(rendered.length, 9)
  for (const { name, object } of rendered) {
    const annotations = at(object, 'metadata', 'annotations')
    assert.equal(textAt(annotations, 'helm.sh/resource-policy'), 'keep', name)
  }
})

for (const [name, values] of Object.entries(VARIANTS)) {
  test(`a real API server takes what is rendered: ${name}`, async () => {
    const cluster = await starting
    const rendered = await renderChart(['fairlead', fairlead, ...values])
    const text = rendered.map((object) => object.text).join('\n---\n')
    const said = await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], text)
    assert.equal(said.trim().split('\n').length, rendered.length)
    assert.ok(!/warn/i.test(said), said)
    for (const pod of podsOf(rendered)) {
      const created = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], pod)
      assert.ok(!/warn|violates/i.test(created), created)
    }
  })
}

/** Pods as the Deployments would make them: Pod Security judges these. */
function podsOf(rendered: readonly Rendered[]): readonly string[] {
  return deployments(rendered).map(({ name, object }) => {
    const spec = at(object, 'spec', 'template', 'spec')
    const labels = at(object, 'spec', 'template', 'metadata', 'labels')
    const metadata = { name, namespace: SYSTEM, labels }
    return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec })
  })
}

function deployments(rendered: readonly Rendered[]): readonly Rendered[] {
  return rendered.filter(({ kind }) => kind === 'Deployment')
}

test('containers write nowhere but to what is theirs, and get nothing that they do not need', async () => {
  const rendered = deployments(await renderChart(['fairlead', fairlead]))
  assert.equal(rendered.length, 2)
  for (const { name, object } of rendered) {
    const pod = at(object, 'spec', 'template', 'spec')
    assert.equal(at(pod, 'enableServiceLinks'), false)
    assert.equal(at(pod, 'securityContext', 'runAsNonRoot'), true)
    assert.equal(at(pod, 'securityContext', 'seccompProfile', 'type'), 'RuntimeDefault')
    const [container] = listAt(pod, 'containers')
    assert.equal(at(container, 'securityContext', 'readOnlyRootFilesystem'), true)
    assert.equal(at(container, 'securityContext', 'allowPrivilegeEscalation'), false)
    assert.deepEqual(listAt(container, 'securityContext', 'capabilities', 'drop'), ['ALL'])
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      assert.equal(textAt(container, probe, 'httpGet', 'port'), 'admin', `${name} ${probe}`)
    }
    assert.ok(textAt(container, 'resources', 'limits', 'memory') !== null)
    assert.ok(!textAt(container, 'image')?.includes('.'.repeat(1) + 'io/'), 'no registry')
  }
})

test('the data plane has no account at the API server, secrets in memory, and time to drain', async () => {
  const rendered = deployments(await renderChart(['fairlead', fairlead, ...set(EVERYTHING)]))
  const plane = rendered.find(({ name }) => name === 'fairlead-dataplane')
  const pod = at(plane?.object, 'spec', 'template', 'spec')
  assert.equal(at(pod, 'automountServiceAccountToken'), false)
  const volumes = listAt(pod, 'volumes')
  const volume = (name: string): unknown => volumes.find((one) => textAt(one, 'name') === name)
  const [source] = listAt(volume('token'), 'projected', 'sources')
  assert.equal(textAt(source, 'serviceAccountToken', 'audience'), 'fairlead-wire')
  assert.equal(textAt(volume('secrets'), 'emptyDir', 'medium'), 'Memory')
  const [container] = listAt(pod, 'containers')
  assert.equal(at(container, 'lifecycle', 'preStop', 'sleep', 'seconds'), 5)
  assert.equal(at(pod, 'terminationGracePeriodSeconds'), 75, 'the pause, the grace and a margin')
})

test('every flag in the Deployments is one of the command, and fits it', async () => {
  for (const { object } of deployments(await renderChart(['fairlead', fairlead]))) {
    const [container] = listAt(at(object, 'spec', 'template', 'spec'), 'containers')
    const [command, ...flags] = listAt(container, 'args').map(String)
    assert.ok(command === 'controller' || command === 'dataplane')
    const known: readonly string[] = COMMANDS[command].settings.map((setting) => setting.name)
    for (const flag of flags) {
      const [, name = ''] = /^--([a-z-]+)=.+$/.exec(flag) ?? []
      assert.ok(known.includes(name), `${command} has no flag for ${flag}`)
    }
  }
})

test('an upgrade leaves what the controller wrote, and an end leaves the kinds', async () => {
  const cluster = await starting
  const kubectl = (args: readonly string[]): Promise<string> => cluster.kubectl(args)
  const run = (...args: readonly string[]): Promise<string> =>
    helm([...args, '--namespace', SYSTEM, '--kubeconfig', cluster.kubeconfig])
  await kubectl(['delete', 'crd', '--all'])
  await run('install', 'fairlead-crds', join(charts, 'fairlead-crds'))
  await run('install', 'fairlead', fairlead)
  const secret = ['-n', SYSTEM, 'get', 'secret', 'fairlead-wire', '-o', 'jsonpath={.data}']
  assert.equal(await kubectl(secret), '')
  const patch = JSON.stringify({ data: { 'certificates.json': 'e30=' } })
  await kubectl(['-n', SYSTEM, 'patch', 'secret', 'fairlead-wire', '--type=merge', '-p', patch])
  await run('upgrade', 'fairlead', fairlead, '--set=dataPlane.replicas=3')
  assert.equal(await kubectl(secret), '{"certificates.json":"e30="}')
  await run('uninstall', 'fairlead')
  await run('uninstall', 'fairlead-crds')
  const left = await kubectl(['get', 'clusterroles,clusterrolebindings,crd', '-o', 'name'])
  const own = left.split('\n').filter((name) => name.includes('fairlead'))
  assert.equal(own.length, 8, own.join())
  assert.ok(own.every((name) => name.startsWith('customresourcedefinition')))
  await assert.rejects(kubectl(secret), /not found/)
})

const WRONG: readonly (readonly [string, RegExp])[] = [
  ['image.tga="1"', /at '\/image': additional properties 'tga' not allowed/],
  ['image.tag="latest"', /image\.tag: `latest` names another image tomorrow/],
  ['image.repository="Registry/Fairlead"', /at '\/image\/repository': .*does not match pattern/],
  ['image.digest="sha256:0"', /at '\/image\/digest': .*does not match pattern/],
  ['replicas=3', /additional properties 'replicas' not allowed/],
  ['controller.replicas=0', /at '\/controller\/replicas': minimum: got 0, want 1/],
  ['dataPlane.replicas="3"', /at '\/dataPlane\/replicas': got string, want integer/],
  ['dataPlane.workers=0', /at '\/dataPlane\/workers': minimum/],
  ['dataPlane.graceSeconds="30s"', /at '\/dataPlane\/graceSeconds': got string, want integer/],
  ['dataPlane.resources.limits.memory="512MB"', /at '\/dataPlane\/resources\/limits\/memory'/],
  ['dataPlane.service.type="External"', /must be one of 'ClusterIP', 'NodePort', 'LoadBalancer'/],
  [
    'dataPlane.service.externalTrafficPolicy="Local"',
    /only for the types LoadBalancer and NodePort/,
  ],
  ['secrets.mode="all"', /at '\/secrets\/mode': value must be one of 'namespaced', 'cluster'/],
  ['secrets.namespaces=["A"]', /at '\/secrets\/namespaces\/0': 'A' does not match pattern/],
  ['secrets={"mode":"cluster","namespaces":["a"]}', /with secrets\.mode `cluster` all are read/],
  ['gateway.spec.dataPlanes={}', /at '\/gateway\/spec': additional properties 'dataPlanes'/],
]

test('a value that is wrong is refused, and the message names it', async () => {
  for (const [value, message] of WRONG) {
    const rendering = helm(['template', 'fairlead', fairlead, `--set-json=${value}`])
    await assert.rejects(rendering, message, value)
  }
})

test('releases of any name render names that fit', async () => {
  const long = 'a'.repeat(53)
  for (const [release, expected] of [
    ['fairlead', 'fairlead-controller'],
    ['edge', 'edge-fairlead-controller'],
    ['my-fairlead', 'my-fairlead-controller'],
    [long, `${'a'.repeat(41)}-fairlead-controller`],
  ] as const) {
    const names = (await renderChart([release, fairlead])).map(({ name }) => name)
    assert.ok(names.includes(expected), names.join())
    assert.ok(names.every((name) => name.length <= 63))
  }
})
