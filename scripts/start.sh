#!/usr/bin/env bash
# npm start: installs, builds and serves the site, and prints its address.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
need_node
need_packages
say "Building the site"
npx vite build --logLevel warn
say "Winnow is ready. Open the address below; Ctrl+C stops it."
exec npx vite preview --port "${PORT:-4173}" --host "${HOST:-localhost}"
