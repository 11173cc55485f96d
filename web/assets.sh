#!/bin/sh
# Copies the front-end files that the pages use from node_modules into static/vendor (git-ignored). package-lock.json
# pins them; a Go test checks their SHA-256. Without them the pages work as with JavaScript off.
set -eu
cd "$(dirname "$0")/.."
[ -d node_modules/htmx.org ] || npm ci --omit=dev --ignore-scripts --no-audit --no-fund >/dev/null
mkdir -p web/static/vendor
cp node_modules/htmx.org/dist/htmx.min.js web/static/vendor/htmx.min.js
cp node_modules/htmx.org/dist/ext/hx-sse.min.js web/static/vendor/hx-sse.min.js
cp node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2 web/static/vendor/inter.woff2
