"""Reference numbers for GGML's quantized blocks, from the `gguf` package (llama.cpp's gguf-py).

    pip install gguf numpy
    python conformance/gguf_blocks.py            # writes gguf-blocks.json

Every format gets BLOCKS blocks of random bytes, whose scales (half floats) are ordinary numbers, and the
float32 numbers that gguf makes of them. Both are base64, numbers little-endian.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import gguf
import numpy as np
from gguf.quants import dequantize

HERE = Path(__file__).resolve().parent
BLOCKS = 2
# Bytes of the half floats in a block.
SCALES = {
    "F16": [], "BF16": [], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "IQ4_NL": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}


def blocks(name: str, rng: np.random.Generator) -> np.ndarray:
    numbers, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
    if not SCALES[name]:
        values = rng.normal(size=64).astype(np.float32)
        # BF16: the upper half of a float32.
        return (values.astype(np.float16) if name == "F16" else (values.view(np.uint32) >> 16).astype(np.uint16)).view(np.uint8)
    raw = rng.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    for at in SCALES[name]:
        raw[:, at:at + 2] = rng.normal(scale=0.1, size=(BLOCKS, 1)).astype(np.float16).view(np.uint8)
    return raw.reshape(-1)


def main() -> None:
    rng = np.random.default_rng(7)
    encode = lambda array: base64.b64encode(array.tobytes()).decode()
    formats = {}
    for name in SCALES:
        raw = blocks(name, rng)
        numbers = dequantize(raw, gguf.GGMLQuantizationType[name]).astype("<f4")
        assert np.isfinite(numbers).all()
        formats[name] = {"bytes": encode(raw), "numbers": encode(numbers)}
    text = json.dumps({"gguf": "gguf-py", "formats": formats}, indent=1)
    (HERE / "gguf-blocks.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
