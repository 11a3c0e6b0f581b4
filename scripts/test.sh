#!/usr/bin/env bash
# npm test: installs what the checks need, runs every one of them, and ends with one line of counts.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
need_node
set -e; need_packages; need_chromium; need_vulkan; set +e

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0
step() { say "$1"; shift; "$@" || { failed=1; echo "FAILED: $*"; }; }

step "Types" npx svelte-check --tsconfig ./tsconfig.json --threshold error
step "Lint and the room rule" npx eslint .
step "Unit, property and kernel tests" npx vitest run --reporter=default --reporter=json --outputFile.json="$out/vitest.json"
step "Build" npx vite build --logLevel warn
WINNOW_PLAYWRIGHT_JSON="$out/playwright.json" step "Browser tests" npx playwright test

say "Summary"
node scripts/summary.mjs "$out/vitest.json" "$out/playwright.json" || failed=1
exit $failed
