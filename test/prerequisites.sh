#!/usr/bin/env bash
# Says in one line what is missing before anything else runs; on Debian as root it installs it.
#   prerequisites.sh test    also what all tests need beside Node: a network of their own
set -euo pipefail
missing=()
command -v make >/dev/null 2>&1 || missing+=(make)
command -v npm >/dev/null 2>&1 || missing+=(npm)
if command -v node >/dev/null 2>&1; then
  major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
  [ "$major" -ge 20 ] || missing+=("nodejs (20 or newer, here is $major)")
else
  missing+=(nodejs)
fi
if [ "${1:-}" = test ]; then
  if ! command -v unshare >/dev/null 2>&1 || ! command -v flock >/dev/null 2>&1; then
    missing+=(util-linux)
  fi
  command -v ip >/dev/null 2>&1 || missing+=(iproute2)
fi
[ ${#missing[@]} -eq 0 ] && exit 0
if [ -z "${INSTALLED:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && [[ "${missing[*]}" != *newer* ]]; then
  echo "installing ${missing[*]} …"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
  INSTALLED=yes exec "$0" "$@" # what Debian has may be too old
fi
echo "missing: ${missing[*]}; install them (Node.js must be 20 or newer, with npm)" >&2
exit 2
