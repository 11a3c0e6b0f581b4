"""Write a checkpoint as a Hugging Face model folder (f16 weights) and check it against transformers.

    python training/export.py training/runs/nano/last.pt [--to static/models/nano]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from model import Config, Nano

ROOT = Path(__file__).resolve().parent.parent


def hf_config(config: Config) -> dict:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        **config.to_dict(),
        "hidden_act": "silu",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "mlp_bias": False,
        "rope_scaling": None,
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "initializer_range": 0.02,
        "pretraining_tp": 1,
        "use_cache": True,
        "torch_dtype": "float16",
    }


def load(folder: Path) -> Nano:
    """The model in a folder that this script wrote, in f32."""
    config = Config.from_dict(json.loads((folder / "config.json").read_text()))
    model = Nano(config)
    model.load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors").items()})
    return model.eval()


def check(folder: Path) -> float:
    """Largest difference of logits between transformers and our own model, in f32, over the largest logit."""
    from transformers import AutoModelForCausalLM

    ours = load(folder)
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ids = torch.randint(2, ours.config.vocab_size, (2, 300), generator=torch.Generator().manual_seed(1))
    ids[:, 0] = 0
    with torch.no_grad():
        mine = ours(ids)
        return float((mine - theirs(ids).logits).abs().max() / mine.abs().max())


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--to", type=Path, default=ROOT / "static/models/nano")
    args = p.parse_args()
    saved = torch.load(args.checkpoint, map_location="cpu", weights_only=False)
    config = Config.from_dict(saved["config"])
    args.to.mkdir(parents=True, exist_ok=True)
    weights = {name: w.half().contiguous() for name, w in saved["model"].items()}
    save_file(weights, args.to / "model.safetensors", metadata={"format": "pt"})
    (args.to / "model.safetensors").chmod(0o644)
    (args.to / "config.json").write_text(json.dumps(hf_config(config), indent=2) + "\n")
    generation = {"bos_token_id": 0, "eos_token_id": 1, "do_sample": False}
    (args.to / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")

    worst = check(args.to)
    size = (args.to / "model.safetensors").stat().st_size
    print(f"tokens seen {saved['state']['tokens']}, weights {size} bytes, largest logit difference {worst:.2e} of the largest logit")
    if worst > 1e-4:
        raise SystemExit("transformers computes something else")


if __name__ == "__main__":
    main()
