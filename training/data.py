"""Rows of tokens, where they come from, and loss weights, read from the TypeScript generators (`training/stream.ts`)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
UNIT = 32.0  # the stream writes loss weights in units of 1/32


class Stream:
    """An endless source of batches: ids [rows, T + 1], the place of the token that each
    repeats (0 for none), and the weight of predicting it."""

    def __init__(self, length: int, seed: int, mix: str):
        command = ["node", "scripts/run-ts.mjs", "training/stream.ts"]
        command += ["--T", str(length), "--seed", str(seed), "--mix", mix]
        self.length = length
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, bufsize=1 << 20)

    def batch(self, rows: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        wide = self.length + 1
        assert self.process.stdout is not None
        raw = self.process.stdout.read(rows * wide * 5)
        if len(raw) < rows * wide * 5:
            raise RuntimeError("the generator ended early")
        table = np.frombuffer(raw, dtype=np.uint8).reshape(rows, wide * 5)
        ids = np.ascontiguousarray(table[:, : wide * 2]).view("<u2").astype(np.int64)
        sources = np.ascontiguousarray(table[:, wide * 2 : wide * 4]).view("<u2").astype(np.int64)
        weights = table[:, wide * 4 :].astype(np.float32) / UNIT
        return torch.from_numpy(ids), torch.from_numpy(sources), torch.from_numpy(weights)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class RandomStream:
    """Random tokens of the same shape, to measure speed without the generators."""

    def __init__(self, length: int, seed: int, vocab: int):
        self.length, self.vocab = length, vocab
        self.g = torch.Generator().manual_seed(seed)

    def batch(self, rows: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        ids = torch.randint(2, self.vocab, (rows, self.length + 1), generator=self.g)
        ids[:, 0] = 0
        weights = torch.ones(ids.shape)
        weights[:, 0] = 0
        return ids, torch.zeros_like(ids), weights

    def close(self) -> None:
        pass
