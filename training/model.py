"""The model: the Llama architecture of Hugging Face transformers, under the same parameter names.

`Nano(config).state_dict()` is what `model.safetensors` holds. `export.py` checks that transformers
computes the same logits from it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class Config:
    vocab_size: int = 4096
    hidden_size: int = 256
    num_hidden_layers: int = 6
    num_attention_heads: int = 8
    num_key_value_heads: int = 4
    head_dim: int = 32
    intermediate_size: int = 512
    max_position_embeddings: int = 1536
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-5

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "Config":
        return cls(**{k: v for k, v in values.items() if k in cls.__dataclass_fields__})


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


def rope_tables(config: Config, length: int) -> tuple[Tensor, Tensor]:
    """cos and sin, each [length, head_dim], for the rotate-half convention."""
    half = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
    angles = torch.outer(torch.arange(length, dtype=torch.float32), config.rope_theta**-half)
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-b, a], dim=-1) * sin


class Watch:
    """Keeps the queries and keys of every layer, to tell what share of attention goes where."""

    def __init__(self) -> None:
        self.layers: list[tuple[Tensor, Tensor]] = []

    def look(self, q: Tensor, k: Tensor) -> None:
        self.layers.append((q, k))

    def shares(self, layer: int, rows: Tensor, heads: int | None = None) -> Tensor:
        """Attention [B, heads, rows, T] of the first `heads` heads from the query positions `rows`."""
        q, k = (x[:, :heads] for x in self.layers[layer])
        scores = q[:, :, rows] @ k.mT / math.sqrt(k.shape[-1])
        future = torch.arange(k.shape[-2])[None, :] > rows[:, None]
        return scores.masked_fill(future, -torch.inf).softmax(-1)

    def shares_at(self, layer: int, heads: list[int], rows: Tensor, keys: Tensor) -> Tensor:
        """Attention [B, heads, n] from the query positions `rows` [B, n] to the positions `keys` [B, n]."""
        q, k = (x[:, heads] for x in self.layers[layer])
        b, h, t, d = q.shape
        q = q.gather(2, rows[:, None, :, None].expand(b, h, -1, d))
        scores = q @ k.mT / math.sqrt(d)
        future = torch.arange(t)[None, None, None, :] > rows[:, None, :, None]
        shares = scores.masked_fill(future, -torch.inf).softmax(-1)
        return shares.gather(3, keys[:, None, :, None].expand(b, h, -1, 1))[..., 0]


class Attention(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = c.num_attention_heads, c.num_key_value_heads, c.head_dim
        self.q_proj = nn.Linear(c.hidden_size, self.heads * c.head_dim, bias=False)
        self.k_proj = nn.Linear(c.hidden_size, self.kv_heads * c.head_dim, bias=False)
        self.v_proj = nn.Linear(c.hidden_size, self.kv_heads * c.head_dim, bias=False)
        self.o_proj = nn.Linear(self.heads * c.head_dim, c.hidden_size, bias=False)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [B, H, T, D], keys and values [B, KV, T, D], before the rotation."""
        b, t, _ = x.shape
        q = self.q_proj(x).view(b, t, self.heads, self.head_dim).transpose(1, 2)
        k = self.k_proj(x).view(b, t, self.kv_heads, self.head_dim).transpose(1, 2)
        v = self.v_proj(x).view(b, t, self.kv_heads, self.head_dim).transpose(1, 2)
        return q, k, v

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None = None, watch: Watch | None = None) -> Tensor:
        b, t, _ = x.shape
        q, k, v = self.split(x)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        group = self.heads // self.kv_heads
        k = k.repeat_interleave(group, dim=1)
        v = v.repeat_interleave(group, dim=1)
        if watch is not None:
            watch.look(q, k)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        return self.o_proj(out.transpose(1, 2).reshape(b, t, -1))


class MLP(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.gate_proj = nn.Linear(c.hidden_size, c.intermediate_size, bias=False)
        self.up_proj = nn.Linear(c.hidden_size, c.intermediate_size, bias=False)
        self.down_proj = nn.Linear(c.intermediate_size, c.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.self_attn = Attention(c)
        self.mlp = MLP(c)
        self.input_layernorm = RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(c.hidden_size, c.rms_norm_eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None = None, watch: Watch | None = None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask, watch)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.embed_tokens = nn.Embedding(c.vocab_size, c.hidden_size)
        self.layers = nn.ModuleList(Block(c) for _ in range(c.num_hidden_layers))
        self.norm = RMSNorm(c.hidden_size, c.rms_norm_eps)


class Nano(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.model = Body(config)
        cos, sin = rope_tables(config, config.max_position_embeddings)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def hidden(
        self, ids: Tensor, mask: Tensor | None = None, watch: Watch | None = None, positions: Tensor | None = None
    ) -> Tensor:
        """The normed last hidden state [B, T, hidden].

        `mask` [T, T] is true where attention is allowed, `positions` [B, T] are 0, 1, 2, ... if not given.
        """
        t = ids.shape[1]
        cos, sin = self.cos[:t], self.sin[:t]
        if positions is not None:
            cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        x = self.model.embed_tokens(ids)
        for layer in self.model.layers:
            x = layer(x, cos, sin, mask, watch)
        return self.model.norm(x)

    def forward(
        self, ids: Tensor, mask: Tensor | None = None, watch: Watch | None = None, positions: Tensor | None = None
    ) -> Tensor:
        return F.linear(self.hidden(ids, mask, watch, positions), self.model.embed_tokens.weight)


def initialise(model: Nano, seed: int, bos_std: float) -> None:
    """Small embeddings, but a large one for <|bos|> (id 0): its residual then stays nearly the same
    through the layers, which gives attention a constant place to rest on (a first-token sink)."""
    g = torch.Generator().manual_seed(seed)
    layers = model.config.num_hidden_layers
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("embed_tokens.weight"):
                p.normal_(0, 0.02, generator=g)
                p[0].normal_(0, bos_std, generator=g)
            elif p.ndim == 2:
                std = 0.7 / math.sqrt(p.shape[1])
                if name.endswith(("o_proj.weight", "down_proj.weight")):
                    std /= math.sqrt(2 * layers)
                p.normal_(0, std, generator=g)
