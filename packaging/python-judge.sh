#!/usr/bin/env bash
# Installs one of the emulators from PyPI that `make judges` starts (bqemulator, moto, ministack), each into an
# environment of its own under build/: their libraries do not agree with each other. Needs Python 3.11 or newer.
set -euo pipefail

python=
for name in python3.13 python3.12 python3.11 python3; do
  if command -v "$name" >/dev/null && "$name" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
    python=$name
    break
  fi
done
[ -n "$python" ] || { echo "The judges from PyPI need Python 3.11 or newer: apt-get install -y python3 python3-venv" >&2; exit 1; }

dir="$(cd "$(dirname "$0")/.." && pwd)/build/judges"
install() { # name requirement...
  local name=$1
  shift
  [ "$(cat "$dir/$name/.requirements" 2>/dev/null)" = "$*" ] && return
  rm -rf "${dir:?}/$name"
  "$python" -m venv "$dir/$name"
  "$dir/$name/bin/pip" install -q --disable-pip-version-check "$@"
  echo "$*" > "$dir/$name/.requirements"
}
case "${1:?which judge}" in
bqemulator)
  # It loads DuckDB's spatial extension at its start. The package brings it, for this version of DuckDB; elsewhere it would
  # come from a server of its own.
  install bqemulator 'bqemulator==1.4.0' 'duckdb==1.5.5' 'duckdb-extension-spatial==1.5.5' 'duckdb-extensions==1.5.5' 'numpy==2.4.6'
  mkdir -p "$dir/home"
  HOME="$dir/home" "$dir/bqemulator/bin/python" -c "import duckdb_extensions; duckdb_extensions.import_extension('spatial')"
  ;;
moto) install moto 'moto[server]==5.2.5' ;;
ministack) install ministack 'ministack==1.5.33' ;;
*) echo "there is no judge $1" >&2; exit 2 ;;
esac
