"""Muon for the hidden matrices, AdamW for the embedding and the norms.

With two workers each orthogonalises half of every stack of matrices; the halves are then summed.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn


def orthogonalise(g: Tensor, steps: int = 5) -> Tensor:
    """Newton-Schulz iteration (quintic, Keller Jordan's coefficients) on a stack [n, rows, cols]."""
    a, b, c = 3.4445, -4.7750, 2.0315
    flip = g.shape[-2] > g.shape[-1]
    x = g.mT if flip else g
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if flip else x


class Optimizer:
    """Gradients live in one flat buffer, so that a single all-reduce averages them."""

    def __init__(self, model: nn.Module, world: int = 1, rank: int = 0, muon_lr=0.02, adam_lr=0.004, decay=0.02):
        self.world, self.rank = world, rank
        self.muon_lr, self.adam_lr, self.decay = muon_lr, adam_lr, decay
        named = list(model.named_parameters())
        hidden = [p for name, p in named if p.ndim == 2 and "embed" not in name]
        self.other = [p for name, p in named if p.ndim != 2 or "embed" in name]
        shapes = sorted({tuple(p.shape) for p in hidden})
        self.stacks = [[p for p in hidden if tuple(p.shape) == s] for s in shapes]
        self.params = [p for stack in self.stacks for p in stack] + self.other
        self.grad = torch.zeros(sum(p.numel() for p in self.params))
        at = 0
        for p in self.params:
            p.grad = self.grad[at : at + p.numel()].view_as(p)
            at += p.numel()
        self.muon_size = sum(p.numel() for p in hidden)
        self.momentum = torch.zeros(self.muon_size)
        self.m = torch.zeros(at - self.muon_size)
        self.v = torch.zeros(at - self.muon_size)
        self.steps = 0

    def zero_grad(self) -> None:
        self.grad.zero_()

    @torch.no_grad()
    def step(self, factor: float) -> None:
        if self.world > 1:
            dist.all_reduce(self.grad)
            self.grad /= self.world
        self.steps += 1
        self._muon(factor * self.muon_lr)
        self._adam(factor * self.adam_lr)

    def _muon(self, lr: float) -> None:
        grad = self.grad[: self.muon_size]
        self.momentum.lerp_(grad, 0.05)
        look = torch.lerp(grad, self.momentum, 0.95)  # Nesterov
        update = torch.zeros_like(look)
        at = 0
        for stack in self.stacks:
            n, size = len(stack), stack[0].numel()
            lo, hi = n * self.rank // self.world, n * (self.rank + 1) // self.world
            part = slice(at + lo * size, at + hi * size)
            shape = (hi - lo, *stack[0].shape)
            update[part] = orthogonalise(look[part].view(shape)).reshape(-1)
            at += n * size
        if self.world > 1:
            dist.all_reduce(update)
        at = 0
        for stack in self.stacks:
            rows, cols = stack[0].shape
            scale = lr * max(1.0, rows / cols) ** 0.5
            for p in stack:
                p.mul_(1 - lr * self.decay).sub_(update[at : at + p.numel()].view_as(p), alpha=scale)
                at += p.numel()

    def _adam(self, lr: float, beta1=0.9, beta2=0.95, eps=1e-8) -> None:
        grad = self.grad[self.muon_size :]
        norm = grad.norm()
        if norm > 1:
            grad = grad / norm
        self.m.lerp_(grad, 1 - beta1)
        self.v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        m = self.m / (1 - beta1**self.steps)
        v = self.v / (1 - beta2**self.steps)
        update = m / (v.sqrt() + eps)
        at = 0
        for p in self.other:
            p.sub_(update[at : at + p.numel()].view_as(p), alpha=lr)
            at += p.numel()

    def state_dict(self) -> dict:
        return {"momentum": self.momentum, "m": self.m, "v": self.v, "steps": self.steps}

    def load_state_dict(self, state: dict) -> None:
        self.momentum.copy_(state["momentum"])
        self.m.copy_(state["m"])
        self.v.copy_(state["v"])
        self.steps = state["steps"]
