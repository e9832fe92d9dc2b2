#!/usr/bin/env bash
# Runs a command in a network namespace of its own: loopback, one address that Kubernetes takes for
# an endpoint's (it takes no loopback address), and no way to anything outside.
#   test/own-network.sh node --test test/cluster/walk.test.ts
# As root, or where the kernel lets anybody have a user namespace.
set -euo pipefail
for name in unshare ip; do
  command -v "$name" >/dev/null 2>&1 || {
    echo "missing: $name, for the tests' own network; install util-linux and iproute2" >&2
    exit 2
  }
done
own=(unshare --net)
[ "$(id -u)" = 0 ] || own=(unshare --user --map-current-user --keep-caps --net)
"${own[@]}" true 2>/dev/null || {
  echo "the tests need a network namespace of their own, and this user may have none: run them as root" >&2
  exit 2
}
exec "${own[@]}" bash -c '
  ip link set lo up
  ip address add 10.247.0.1/32 dev lo
  # A listener that closes hands the connections in its queue to the others of its port (Linux 5.14);
  # without it they are reset, which is chance: a worker closes right after it has accepted.
  migrate=/proc/sys/net/ipv4/tcp_migrate_req
  if [ -w "$migrate" ]; then echo 1 > "$migrate"; fi
  exec "$@"' own-network "$@"
