#!/usr/bin/env bash
# Installs what the tests need: Azurite and axe-core from npm, and on a Debian machine Chromium and PostgreSQL. Nothing
# is skipped for want of a tool, so a machine without apt-get has to bring the latter two.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
if [ ! -x "$root/node_modules/.bin/azurite-blob" ] || [ ! -d "$root/node_modules/axe-core" ]; then
  (cd "$root" && npm ci --ignore-scripts --no-audit --no-fund)
fi

missing=()
[ -x /usr/bin/chromium ] || missing+=(chromium)
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "The tests need ${missing[*]}: apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive TMPDIR=/var/tmp
apt-get update -qq
apt-get -f install -y -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
