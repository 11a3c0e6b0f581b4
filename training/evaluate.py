"""How well a model does: the table of the model card.

    python training/evaluate.py static/models/nano [--docs 100] [--only recall,sink]

Takes a model folder or a checkpoint (`training/runs/nano/last.pt`). The documents come from
`training/evalset.ts` and `training/stream.ts` with seeds that no training run uses.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections import defaultdict
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from data import Stream
from export import load
from model import Config, Nano
from probe import layers

ROOT = Path(__file__).resolve().parent.parent
SEED = 900_000  # stories: far from every training seed
BATCH_TOKENS = 8192


def open_model(path: Path) -> Nano:
    if path.is_dir():
        return load(path)
    saved = torch.load(path, map_location="cpu", weights_only=False)
    model = Nano(Config.from_dict(saved["config"]))
    model.load_state_dict(saved["model"])
    return model.eval()


def documents(count: int) -> list[dict]:
    """Prompts with their answers; `tokens` holds both."""
    command = ["node", "scripts/run-ts.mjs", "training/evalset.ts", "--n", str(count)]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    docs = [doc for doc in map(json.loads, lines) if doc["answerTokens"]]
    return [{**doc, "tokens": doc["tokens"] + doc["answerTokens"]} for doc in docs]


def batches(docs: list[dict]) -> list[list[dict]]:
    """Documents of like length together, about BATCH_TOKENS a batch."""
    out: list[list[dict]] = []
    for doc in sorted(docs, key=lambda d: len(d["tokens"])):
        if not out or len(out[-1]) * len(doc["tokens"]) > BATCH_TOKENS:
            out.append([])
        out[-1].append(doc)
    return out


def padded(docs: list[dict]) -> Tensor:
    width = max(len(d["tokens"]) for d in docs)
    return torch.tensor([d["tokens"] + [1] * (width - len(d["tokens"])) for d in docs])


@torch.no_grad()
def recall(model: Nano, docs: list[dict]) -> dict[str, dict]:
    """Per cell: the share of answers that greedy decoding gets right as a whole, and of single tokens.

    A greedy answer is right exactly if every answer token is the likeliest one after the right ones.
    """
    cells: dict[str, dict] = defaultdict(lambda: {"n": 0, "exact": 0, "tokens": 0, "right": 0, "length": 0})
    for doc in docs:
        cells[doc["cell"]]  # in the order of the set
    for batch in batches(docs):
        guesses = model(padded(batch)).argmax(-1)
        for doc, guess in zip(batch, guesses):
            length = len(doc["tokens"])
            where = range(length - len(doc["answerTokens"]), length)
            right = sum(int(guess[i - 1]) == doc["tokens"][i] for i in where)
            cell = cells[doc["cell"]]
            cell["n"] += 1
            cell["exact"] += right == len(where)
            cell["tokens"] += len(where)
            cell["right"] += right
            cell["length"] += length
    return cells


def stories(count: int, length: int) -> Tensor:
    stream = Stream(length, SEED, "story=1")
    ids, _, _ = stream.batch(count)
    stream.close()
    return ids


@torch.no_grad()
def story_losses(model: Nano, ids: Tensor, window: int = 128, start: int = 200) -> dict[str, float]:
    """Nats a token at positions > start: full attention, and a sliding window with and without token 0.

    The window masks what lies outside it; positions are not shifted.
    """
    t = ids.shape[1] - 1
    at = torch.arange(t)
    causal = at[:, None] >= at[None, :]
    near = causal & (at[:, None] - at[None, :] < window)
    sink = (at == 0)[None, :] & causal
    masks = {"full": None, f"window {window} + first token": near | sink, f"window {window}": near}
    out = {}
    for name, mask in masks.items():
        total, count = 0.0, 0
        for part in ids.split(8):
            logits = model(part[:, :-1], mask)[:, start:]
            total += float(F.cross_entropy(logits.flatten(0, 1), part[:, start + 1 :].flatten(), reduction="sum"))
            count += part[:, start + 1 :].numel()
        out[name] = total / count
    return out


def energy_rank(x: Tensor, share: float) -> int:
    """Directions that hold `share` of the energy of the rows of x."""
    energy = torch.linalg.svdvals(x).square()
    return int((energy.cumsum(0) / energy.sum() < share).sum()) + 1


def outliers(x: Tensor) -> float:
    """x [tokens, heads, dim]: the largest mean |channel| / median over channels of a head."""
    mean = x.abs().mean(0)
    return float((mean.max(-1).values / mean.median(-1).values).max())


@torch.no_grad()
def inside(model: Nano, ids: Tensor, stop: int) -> list[dict]:
    """Per layer, over stories: where attention goes, outlier channels and ranks of keys and values."""
    ids = ids[:, :-1]
    t = ids.shape[1]
    late = torch.arange(t) >= 32
    stops = (ids == stop).float()
    out = []
    for layer in layers(model, ids):
        a = layer.attention
        share = lambda part: [round(float(x), 2) for x in part]
        flat = lambda x: x[:, :, 1:].permute(0, 2, 1, 3).flatten(0, 1)  # [tokens, heads, dim], without token 0
        before, after, value = flat(layer.key_before), flat(layer.key_after), flat(layer.value)
        norm = lambda x: float(x[:, :, 0].norm(dim=-1).mean() / x[:, :, 1:].norm(dim=-1).mean())
        out.append({
            "first": share(a[:, :, late, 0].mean((0, 2))),
            "stop": share((a[:, :, late] @ stops[:, None, :, None]).mean((0, 2, 3))),
            "previous": share(a.diagonal(-1, 2, 3)[:, :, 32:].mean((0, 2))),
            "outlier": {"K before": outliers(before), "K after": outliers(after), "V": outliers(value)},
            "rank": {name: [energy_rank(x.flatten(1), s) for s in (0.9, 0.99)]
                     for name, x in (("K before", before), ("K after", after), ("V", value))},
            "norm of first": {"K": norm(layer.key_before), "V": norm(layer.value)},
        })
    return out


@torch.no_grad()
def retrieval(model: Nano, docs: list[dict]) -> list[list[float]]:
    """Per layer and head: attention from the place of each answer token to its copies in the context."""
    c = model.config
    total = torch.zeros(c.num_hidden_layers, c.num_attention_heads)
    count = 0
    for doc in docs:
        ids = torch.tensor(doc["tokens"])[None]
        start = len(doc["tokens"]) - len(doc["answerTokens"])
        spots = [(i - 1, (ids[0, : start] == ids[0, i]).float()) for i in range(start, ids.shape[1])]
        spots = [(i, same) for i, same in spots if same.sum() == 1]
        count += len(spots)
        for n, layer in enumerate(layers(model, ids)):
            for i, same in spots:
                total[n] += layer.attention[0, :, i, :start] @ same
    return [[round(float(x), 2) for x in row] for row in total / max(count, 1)]


def print_inside(found: list[dict], heads: list[list[float]] | None) -> None:
    listed = lambda xs: " ".join(f"{x:.2f}" for x in xs)
    print("\nAttention per layer and head (stories, queries from 32 on)")
    for n, layer in enumerate(found):
        print(f"L{n} first token {listed(layer['first'])} | full stops {listed(layer['stop'])}")
        print(f"   previous    {listed(layer['previous'])}" + (f" | retrieval  {listed(heads[n])}" if heads else ""))
    print("\nlayer | outlier K before, K after, V | rank 90/99 % K before, K after, V | norm of token 0 over others K, V")
    for n, layer in enumerate(found):
        o, r, s = layer["outlier"], layer["rank"], layer["norm of first"]
        print(f"L{n} | " + ", ".join(f"{x:.1f}" for x in o.values()) + " | "
              + ", ".join(f"{a}/{b}" for a, b in r.values()) + " | " + ", ".join(f"{x:.2f}" for x in s.values()))


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("model", type=Path)
    p.add_argument("--docs", type=int, default=100, help="documents a cell")
    p.add_argument("--only", default="recall,story,inside")
    p.add_argument("--json", type=Path, help="write all numbers here too")
    args = p.parse_args()
    model, only, found = open_model(args.model), set(args.only.split(",")), {}
    docs = documents(args.docs) if only & {"recall", "inside"} else []
    if "recall" in only:
        cells = found["recall"] = recall(model, docs)
        print("| cell | n | mean tokens | exact match | per token |\n|---|---|---|---|---|")
        for name, c in cells.items():
            print(f"| {name} | {c['n']} | {c['length'] / c['n']:.0f} | {c['exact'] / c['n']:.2f} | {c['right'] / c['tokens']:.3f} |")
    texts = stories(24, 640)
    if "story" in only:
        losses = found["story"] = story_losses(model, texts)
        for name, loss in losses.items():
            print(f"story loss, {name}: {loss:.3f} nats a token ({loss / losses['full'] - 1:+.1%})")
    if "inside" in only:
        stop = Tokenizer.from_file(str(ROOT / "static/models/nano/tokenizer.json")).token_to_id(".")
        found["inside"] = inside(model, texts[:8, :513], stop)
        needles = [d for d in docs if d["cell"] in ("fact-400", "code-400")][:60]
        found["retrieval"] = retrieval(model, needles) if needles else None
        print_inside(found["inside"], found["retrieval"])
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
