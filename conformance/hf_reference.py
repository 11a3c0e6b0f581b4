"""Reference logits from Hugging Face transformers, in float32 on the CPU.

    python conformance/hf_reference.py            # writes hf-random.json, hf-architectures.json, and hf-nano.json if there is a nano

`hf-random.json`: a random Llama whose weights both sides make from names (see `fixture_normal`).
`hf-architectures.json`: the same for one small model of every architecture, and of every stretch of rotary positions.
`hf-nano.json`: the embedded model; run this again whenever static/models/nano changes.
Logits are base64 of little-endian float32.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).resolve().parent
NANO = HERE.parent / "static" / "models" / "nano"

RANDOM = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 320,
    "hidden_size": 72,
    "intermediate_size": 136,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 256,
    "rope_theta": 50000.0,
    "rms_norm_eps": 1e-5,
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
    "rope_scaling": None,
    "tie_word_embeddings": False,
    "bos_token_id": 0,
    "eos_token_id": 1,
}
SMALL = {
    "vocab_size": 264,
    "hidden_size": 48,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "rope_theta": 10000.0,
    "rms_norm_eps": 1e-6,
    "hidden_act": "silu",
    "tie_word_embeddings": True,
    "eos_token_id": 1,
}
# With an original context of 64, 16 channels have frequencies that stay, that are mixed, and that slow down.
ARCHITECTURES = {
    "Llama, llama3 positions": SMALL | {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "num_attention_heads": 3, "num_key_value_heads": 1,
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64},
    },
    "Llama, linear positions and all biases": SMALL | {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": True, "mlp_bias": True,
        "rope_scaling": {"type": "linear", "factor": 4.0}, "tie_word_embeddings": False,
    },
    "Mistral": SMALL | {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": 128, "head_dim": 12},
    "Qwen2": SMALL | {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 56, "num_attention_heads": 7, "num_key_value_heads": 1,
        "rope_theta": 1000000.0, "use_sliding_window": False, "sliding_window": 32, "max_window_layers": 1,
    },
    "Qwen3": SMALL | {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "head_dim": 16, "rope_theta": 1000000.0},
    "GPT-2": {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 264, "n_embd": 48, "n_head": 3, "n_layer": 2, "n_positions": 64,
        "n_ctx": 64, "n_inner": None, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "eos_token_id": 1, "bos_token_id": 1,
    },
}
TOKENS = 40
FEWER = 24
LONG = 1100
PROMPTS = [
    "The blue key is in the box. Mia put the red ball on the shelf. Where is the blue key?",
    "Once there was a small fox who lived near the river. One morning the fox found 12 shiny stones, "
    "and each of them had a different colour.",
]


def fnv1a(name: str) -> int:
    h = 0x811C9DC5
    for byte in name.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def uniforms(name: str, count: int) -> np.ndarray:
    """mulberry32 seeded with FNV-1a of the name, `count` numbers in [0, 1) as float64."""
    step = np.uint32(0x6D2B79F5)
    with np.errstate(over="ignore"):
        a = np.uint32(fnv1a(name)) + step * np.arange(1, count + 1, dtype=np.uint32)
        t = (a ^ (a >> np.uint32(15))) * (a | np.uint32(1))
        t = t ^ (t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61)))
        return ((t ^ (t >> np.uint32(14))).astype(np.float64)) / 4294967296.0


def fixture_normal(name: str, count: int) -> np.ndarray:
    """Unit variance: (u1 + u2 + u3 + u4 - 2) sqrt 3 in float64, rounded to float32."""
    u = uniforms(name, 4 * count).reshape(count, 4)
    return ((u[:, 0] + u[:, 1] + u[:, 2] + u[:, 3] - 2.0) * np.sqrt(3.0)).astype(np.float32)


def random_tensor(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Embeddings z; norms 1 + 0.3 z; biases 0.5 z; other matrices 1.5 z / sqrt(inputs). Rounded to float32 after each step."""
    z = fixture_normal(f"hf-random/{name}", int(np.prod(shape))).reshape(shape)
    if name.endswith("bias"):
        z = np.float32(0.5) * z
    elif "norm" in name or ".ln_" in name:
        z = np.float32(1) + np.float32(0.3) * z
    elif not any(table in name for table in ("embed", "wte", "wpe")):
        # GPT-2 keeps its projections as [inputs, outputs].
        z = z * np.float32(1.5 / np.sqrt(shape[0] if ".c_" in name else shape[-1]))
    return torch.from_numpy(z)


def base64_of(logits: torch.Tensor) -> str:
    return base64.b64encode(logits.contiguous().numpy().astype("<f4").tobytes()).decode()


def stamp() -> dict:
    return {"transformers": transformers.__version__, "torch": torch.__version__}


def logits_of(model: torch.nn.Module, vocab: int, tokens: int) -> dict:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(random_tensor(name, tuple(parameter.shape)))
        ids = (uniforms("hf-random/ids", tokens) * vocab).astype(int).tolist()
        logits = model(torch.tensor([ids])).logits[0]
    return {"ids": ids, "maxLogit": float(logits.abs().max()), "logits": base64_of(logits)}


def random_model() -> dict:
    model = LlamaForCausalLM(LlamaConfig(**RANDOM)).eval()
    assert model.config.rope_parameters["rope_theta"] == RANDOM["rope_theta"]
    return {"made": stamp(), "config": RANDOM, **logits_of(model, RANDOM["vocab_size"], TOKENS)}


def architecture(config: dict) -> dict:
    settings = {key: value for key, value in config.items() if key != "model_type"}
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(config["model_type"], **settings), attn_implementation="eager").eval()
    assert [type(model).__name__] == config["architectures"]
    if config.get("rope_scaling"):
        stretched = model.config.rope_parameters
        assert stretched["factor"] == config["rope_scaling"]["factor"] and stretched["rope_theta"] == config["rope_theta"]
    return {"config": config, **logits_of(model, config["vocab_size"], FEWER)}


def nano() -> dict:
    model = AutoModelForCausalLM.from_pretrained(NANO, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(NANO)
    columns = list(range(7, model.config.vocab_size, model.config.vocab_size // 16))
    prompts = []
    for text in PROMPTS:
        ids = tokenizer(text)["input_ids"]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0]
        prompts.append({
            "text": text, "ids": ids, "maxLogit": float(logits.abs().max()),
            "last": base64_of(logits[-1]), "some": base64_of(logits[:, columns]),
        })
    # Far positions, where a float32 angle is off by up to 1e-4: random ids, every 50th position.
    ids = [0] + (2 + uniforms("hf-nano/long", LONG - 1) * (model.config.vocab_size - 2)).astype(int).tolist()
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    far = {"ids": ids, "every": 50, "some": base64_of(logits[::50, columns])}
    digest = hashlib.sha256((NANO / "model.safetensors").read_bytes()).hexdigest()
    return {"made": stamp(), "sha256": digest, "columns": columns, "prompts": prompts, "long": far}


def main() -> None:
    torch.set_num_threads(1)
    (HERE / "hf-random.json").write_text(json.dumps(random_model()) + "\n")
    models = {name: architecture(config) for name, config in ARCHITECTURES.items()}
    (HERE / "hf-architectures.json").write_text(json.dumps({"made": stamp(), "models": models}) + "\n")
    if (NANO / "model.safetensors").exists():
        (HERE / "hf-nano.json").write_text(json.dumps(nano()) + "\n")


if __name__ == "__main__":
    main()
