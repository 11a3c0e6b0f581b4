"""Write texts with a model: stories for the model card, or the continuation of a prompt.

    python training/sample.py static/models/nano --count 20
    python training/sample.py static/models/nano --prompt "The code of the red bag is 4721.\nQ: What is the code of the red bag?\nA:" --temperature 0 --length 8
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from tokenizers import Tokenizer

from evaluate import ROOT, open_model

OPENINGS = ["Once upon a time, a", "This is the story of", "In"]


@torch.no_grad()
def generate(model, ids: torch.Tensor, length: int, temperature: float, seed: int) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    for _ in range(length):
        logits = model.hidden(ids)[:, -1] @ model.model.embed_tokens.weight.T
        if temperature == 0:
            new = logits.argmax(-1, keepdim=True)
        else:
            new = torch.multinomial((logits / temperature).softmax(-1), 1, generator=g)
        ids = torch.cat([ids, new], dim=1)
    return ids


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("model", type=Path)
    p.add_argument("--prompt", default="")
    p.add_argument("--count", type=int, default=1)
    p.add_argument("--length", type=int, default=220)
    p.add_argument("--temperature", type=float, default=0.6)
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    model = open_model(args.model)
    tokenizer = Tokenizer.from_file(str(ROOT / "static/models/nano/tokenizer.json"))
    prompts = [args.prompt.replace("\\n", "\n")] if args.prompt else OPENINGS[: args.count]
    number = 0
    for i, prompt in enumerate(prompts):
        encoded = tokenizer.encode(prompt).ids
        rows = len(range(i, args.count, len(prompts)))
        start = torch.tensor([encoded if encoded[:1] == [0] else [0, *encoded]] * rows)
        for ids in generate(model, start, args.length, args.temperature, args.seed + i).tolist():
            text = tokenizer.decode(ids[1:])
            if not args.prompt and "." in text:
                text = text[: text.rindex(".") + 1]
            number += 1
            print(f"{number}. {text}\n" if args.count > 1 else text)


if __name__ == "__main__":
    main()
