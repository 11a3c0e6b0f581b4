# Shared by start.sh and test.sh: what has to be on the machine. Sourced, not run.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n== %s\n' "$*"; }

need_node() {
	node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null && return
	echo "Winnow needs Node.js 20.19 or newer. Found: $(node --version 2>/dev/null || echo none)." >&2
	exit 1
}

# Installs the packages of the lock file unless exactly these are there already.
need_packages() {
	local stamp=node_modules/.winnow-lock
	if [ ! -f "$stamp" ] || ! cmp -s package-lock.json "$stamp"; then
		say "Installing packages"
		npm ci --loglevel=warn --no-audit --no-fund
		cp package-lock.json "$stamp"
	fi
	npx svelte-kit sync
}

# A Chromium to test in: the one named by CHROMIUM, the system's, an installed Chrome, or Debian's.
need_chromium() {
	if [ -n "${CHROMIUM:-}" ] && [ -x "$CHROMIUM" ]; then return; fi
	for path in /usr/bin/chromium /usr/bin/chromium-browser /opt/google/chrome/chrome "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
		[ -x "$path" ] && { export CHROMIUM="$path"; return; }
	done
	if command -v apt-get >/dev/null; then
		say "Installing Chromium"
		local sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
		$sudo apt-get update -qq && $sudo apt-get install -y -qq chromium
		export CHROMIUM=/usr/bin/chromium
	else
		echo "The browser tests need Chrome or Chromium. Install one, or set CHROMIUM to its path." >&2
		exit 1
	fi
}

# The software Vulkan driver that comes with Chromium, for WebGPU tests in Node.
need_vulkan() {
	[ -n "${VK_ICD_FILENAMES:-}" ] && return
	for dir in "$(dirname "$(readlink -f "$CHROMIUM")")" /usr/lib/chromium /usr/lib/chromium-browser /opt/google/chrome; do
		[ -f "$dir/vk_swiftshader_icd.json" ] && { export VK_ICD_FILENAMES="$dir/vk_swiftshader_icd.json"; return; }
	done
	return 0
}
