#!/usr/bin/env bash
# bash bench/run.sh [--quick] [--only NAMES]: Winnow beside onnxruntime-web, transformers.js, nanogpt and
# stock TensorFlow.js in one run of the same Chromium. See bench/README.md.
set -euo pipefail
. "$(dirname "$0")/../scripts/lib.sh"
need_node
[ -d node_modules/vite ] || need_packages
need_chromium
if ! cmp -s bench/peers/package-lock.json bench/peers/node_modules/.lock; then
	say "Installing what is compared with (1 GB)"
	# Their install scripts fetch binaries for Node, which nothing here needs.
	npm ci --prefix bench/peers --ignore-scripts --loglevel=error
	cp bench/peers/package-lock.json bench/peers/node_modules/.lock
fi
exec node scripts/run-ts.mjs bench/compare/main.ts "$@"
