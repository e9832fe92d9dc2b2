#!/usr/bin/env bash
# Builds what the cluster tests run, from Go modules, into the cache folder: etcd, kube-apiserver,
# kubectl and helm (about ten minutes on two cores with an empty build cache, seconds with a warm one).
#   build.sh            builds what is missing; says what it does
#   build.sh --check    only says what is missing to build it
#   build.sh --where    prints the folder that holds the binaries
# KUBEBUILDER_ASSETS, where it is set, provides etcd, kube-apiserver and kubectl instead.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fairlead-cluster
bin=$cache/bin
kubernetes=v1.37.2
helm=v4.3.1

[ "${1:-}" = --where ] && { echo "$bin"; exit 0; }

missing=()
for name in etcd kube-apiserver kubectl; do
  if [ -x "${KUBEBUILDER_ASSETS:-/nonexistent}/$name" ]; then continue; fi
  [ -x "$bin/$name" ] || missing+=("$name")
done
[ -x "$bin/helm" ] || missing+=(helm)
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v go >/dev/null 2>&1; then
  echo "missing: Go 1.26 or newer, to build ${missing[*]} for the cluster tests; install Go, or set KUBEBUILDER_ASSETS and put helm into $bin" >&2
  exit 2
fi
[ "${1:-}" = --check ] && exit 0
mkdir -p "$bin"
# Two checkouts may build at once: the second waits and then finds everything there.
exec 9>"$cache/build.lock"
flock 9

build() { # name, package, ldflags
  [ -x "$bin/$1" ] && return 0
  local start=$SECONDS
  echo "building $1 …"
  go build -trimpath -ldflags "$3" -o "$bin/$1.new" "$2"
  mv "$bin/$1.new" "$bin/$1"
  echo "built $1 in $((SECONDS - start)) s"
}

# Without gitVersion, kubectl version fails and Helm refuses charts that set kubeVersion.
stamped="-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes"
cd "$here/tools"
for name in "${missing[@]}"; do
  case $name in
    etcd) build etcd go.etcd.io/etcd/server/v3 '-s -w' ;;
    kube-apiserver | kubectl) build "$name" "k8s.io/kubernetes/cmd/$name" "$stamped" ;;
    helm)
      if [ ! -x "$bin/helm" ]; then
        start=$SECONDS
        echo "building helm …"
        (cd / && GOFLAGS=-mod=mod GOBIN="$bin" go install -trimpath -ldflags '-s -w' "helm.sh/helm/v4/cmd/helm@$helm")
        echo "built helm in $((SECONDS - start)) s"
      fi
      ;;
  esac
done
