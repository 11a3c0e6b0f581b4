"""Looking inside the model: attention maps, keys and values of every layer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from model import Nano, rotate


@dataclass
class Layer:
    attention: Tensor  # [B, H, T, T]
    key_before: Tensor  # [B, KV, T, D], before the rotation
    key_after: Tensor
    value: Tensor


@torch.no_grad()
def layers(model: Nano, ids: Tensor) -> Iterator[Layer]:
    b, t = ids.shape
    cos, sin = model.cos[:t], model.sin[:t]
    causal = torch.ones(t, t, dtype=torch.bool).tril()
    x = model.model.embed_tokens(ids)
    for block in model.model.layers:
        attn = block.self_attn
        q, k, v = attn.split(block.input_layernorm(x))
        group = attn.heads // attn.kv_heads
        turned = rotate(k, cos, sin)
        scores = rotate(q, cos, sin) @ turned.repeat_interleave(group, dim=1).mT / math.sqrt(attn.head_dim)
        probabilities = scores.masked_fill(~causal, -torch.inf).softmax(-1)
        out = probabilities @ v.repeat_interleave(group, dim=1)
        x = x + attn.o_proj(out.transpose(1, 2).reshape(b, t, -1))
        x = x + block.mlp(block.post_attention_layernorm(x))
        yield Layer(probabilities, k, turned, v)


def attention_maps(model: Nano, ids: Tensor) -> Iterator[Tensor]:
    return (layer.attention for layer in layers(model, ids))
