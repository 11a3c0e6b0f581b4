"""Train the embedded model on the CPU, by the clock.

    python training/train.py --plan training/plan.json --run nano --until 09:30

Two single-thread workers share every step. A run can be stopped at any moment (SIGTERM, Ctrl-C)
and goes on where it was when the same command is given again. See README.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F

from data import RandomStream, Stream
from model import Config, Nano, Watch, initialise
from optim import Optimizer

HERE = Path(__file__).resolve().parent
# What a loss weight says about a token: the bins in which losses are logged.
KINDS = {"answer": (3.0, 9.0), "copy": (1.5, 3.0), "story": (0.9, 1.5), "text": (0.4, 0.9), "noise": (0.001, 0.4)}


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser()
    p.add_argument("--plan", type=Path, default=HERE / "plan.json")
    p.add_argument("--run", default="nano", help="name of the folder under training/runs")
    p.add_argument("--until", default="", help="HH:MM, local time, when the learning rate has reached 0")
    p.add_argument("--init", type=Path, help="start from the weights of this model folder")
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--threads", type=int, default=1, help="threads of each worker")
    p.add_argument("--no-compile", action="store_true")
    p.add_argument("--random", action="store_true", help="random tokens: measures speed only")
    p.add_argument("--steps", type=int, default=0, help="stop after so many steps (tests)")
    p.add_argument("--save-every", type=float, default=180, help="seconds")
    return p.parse_args()


def deadline(text: str) -> float:
    if not text:
        return float("inf")
    hour, minute = map(int, text.split(":"))
    now = datetime.datetime.now()
    end = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (end if end > now else end + datetime.timedelta(days=1)).timestamp()


def token_losses(
    model: Nano, ids: torch.Tensor, weights: torch.Tensor, positions: torch.Tensor, rows: torch.Tensor,
    due: torch.Tensor, sources: torch.Tensor, sink: float, look: float, looking: tuple[int, ...],
) -> tuple[torch.Tensor, torch.Tensor]:
    """The weighted mean loss of the batch and the plain loss of every token, with the rewards of `shaped`."""
    watch = Watch() if sink > 0 or look > 0 else None
    logits = model(ids[:, :-1], None, watch, positions)
    each = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    w = weights[:, 1:].flatten()
    loss = (each * w).sum() / w.sum()
    if watch is not None:
        loss = loss - shaped(watch, rows, due, sources, sink, look, looking)
    return loss, each.detach()


def shaped(
    watch: Watch, rows: torch.Tensor, due: torch.Tensor, sources: torch.Tensor, sink: float, look: float, looking: tuple[int, ...]
) -> torch.Tensor:
    """Small rewards for attention, each the mean log of a share.

    `sink`: idle heads of all layers rest on the first token (seen from the query positions `rows`); a head
    with other work is left alone.
    `look`: the heads `looking[1:]` of layer `looking[0]` look from the places `due`, where an answer is due,
    at the place that holds it (`sources`, both [rows, n]; 0 for none). With several facts of one kind in a
    text, telling them apart by their subjects came late by the loss of the answers alone.
    """
    reward = torch.zeros(())
    if sink > 0:
        layers = range(len(watch.layers))
        reward = reward + sink * torch.stack([(watch.shares(n, rows)[..., 0] + 0.02).log().mean() for n in layers]).mean()
    if look > 0:
        share = watch.shares_at(looking[0], list(looking[1:]), due, sources)
        known = (sources > 0).float()[:, None]
        reward = reward + look * ((share + 0.02).log() * known).sum() / (known.sum() * share.shape[1]).clamp(min=1)
    return reward


def looks(sources: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Up to `count` places a row from which an answer is due, at random, and where it stands (0 for none)."""
    answers = sources[:, 1:]
    due = (torch.rand(answers.shape) + (answers > 0)).topk(count, dim=1).indices
    return due, answers.gather(1, due)


def skipped_positions(rows: int, length: int, reach: int) -> torch.Tensor:
    """Positions [rows, length]. Two rows of three jump ahead at up to three places, to at most `reach`.

    So short rows teach what far apart means; what is next to each other stays so.
    """
    positions = torch.arange(length).repeat(rows, 1)
    for row in positions:
        if reach > length and torch.rand(()) < 2 / 3:
            places = torch.randint(1, length, (int(torch.randint(1, 4, ())),))
            room = int(torch.randint(0, reach - length + 1, ()))
            cuts = torch.cat([torch.zeros(1), torch.rand(len(places) - 1).sort().values, torch.ones(1)])
            for place, gap in zip(places, (cuts.diff() * room).long()):
                row[place:] += gap
    return positions


class Meter:
    """Sums of losses and counts per kind of token."""

    def __init__(self) -> None:
        self.sums = torch.zeros(2, len(KINDS))

    def add(self, each: torch.Tensor, weights: torch.Tensor) -> None:
        w = weights[:, 1:].flatten()
        for i, (lo, hi) in enumerate(KINDS.values()):
            chosen = (w >= lo) & (w < hi)
            self.sums[0, i] += each[chosen].sum()
            self.sums[1, i] += chosen.sum()

    def take(self) -> dict[str, float]:
        if dist.is_initialized():
            dist.all_reduce(self.sums)
        loss, count = self.sums[0], self.sums[1]
        out = {k: round(float(loss[i] / count[i]), 4) for i, k in enumerate(KINDS) if count[i] > 0}
        self.sums.zero_()
        return out


@torch.no_grad()
def sink_shares(model: Nano, ids: torch.Tensor) -> list[float]:
    """Share of attention on position 0, mean over heads and queries 8..T, one number a layer."""
    from probe import attention_maps

    return [round(float(a[:, :, 8:, 0].mean()), 3) for a in attention_maps(model, ids)]


def save(path: Path, model: Nano, optimizer: Optimizer, state: dict) -> None:
    part = path.with_suffix(".part")
    torch.save({"config": model.config.to_dict(), "model": model.state_dict(), "optimizer": optimizer.state_dict(),
                "state": state}, part)
    os.replace(part, path)


def work(args: argparse.Namespace, rank: int) -> None:
    torch.set_num_threads(args.threads)
    if args.workers > 1:
        dist.init_process_group("gloo", init_method=os.environ["NANO_STORE"], rank=rank, world_size=args.workers)
    plan = json.loads(args.plan.read_text())
    folder = HERE / "runs" / args.run
    folder.mkdir(parents=True, exist_ok=True)
    last = folder / "last.pt"

    model = Nano(Config.from_dict(plan["model"]))
    optimizer = Optimizer(model, args.workers, rank)
    state = {"stage": 0, "stage_seconds": 0.0, "step": 0, "tokens": 0, "seconds": 0.0, "starts": 0}
    if last.exists():
        saved = torch.load(last, weights_only=False)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        state = saved["state"]
    elif args.init:
        from safetensors.torch import load_file

        model.load_state_dict({k: v.float() for k, v in load_file(args.init / "model.safetensors").items()})
    else:
        initialise(model, plan["seed"], plan["bos_std"])
    state["starts"] += 1
    torch.manual_seed(plan["seed"] + 1000 * state["starts"] + rank)
    compiled = token_losses if args.no_compile else torch.compile(token_losses, dynamic=False)
    if rank == 0:
        print(json.dumps({"parameters": sum(p.numel() for p in model.parameters()), **state}), flush=True)

    stop = []
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: stop.append(1))
    end = deadline(args.until)
    log = open(folder / "log.jsonl", "a") if rank == 0 else None
    stages, warm_up, decay = plan["stages"], plan["warm_up_steps"], plan["decay_minutes"] * 60
    stream, stream_stage, meter, steps_here = None, -1, Meter(), 0
    saved_at = logged_at = clock = time.time()
    logged_tokens = state["tokens"]

    while True:
        # Rank 0 reads the clock and decides for both: [stage, learning rate factor, stop].
        order = torch.zeros(3, dtype=torch.float64)
        if rank == 0:
            now = time.time()
            state["stage_seconds"] += now - clock
            state["seconds"] += now - clock
            clock = now
            stage = stages[state["stage"]]
            if state["stage"] + 1 < len(stages) and state["stage_seconds"] >= stage["minutes"] * 60:
                save(folder / f"stage{state['stage'] + 1}.pt", model, optimizer, state)
                state["stage"] += 1
                state["stage_seconds"] = 0.0
            factor = stages[state["stage"]].get("lr", 1.0) * min(1.0, (optimizer.steps + 1) / warm_up)
            factor *= max(0.0, min(1.0, (end - now) / decay))
            over = stop or now >= end or (args.steps and steps_here >= args.steps)
            order = torch.tensor([state["stage"], factor, 1.0 if over else 0.0], dtype=torch.float64)
        if args.workers > 1:
            dist.broadcast(order, 0)
        if order[2] > 0:
            break
        state["stage"], factor = int(order[0]), float(order[1])
        stage = stages[state["stage"]]
        if stream_stage != state["stage"]:
            if stream:
                stream.close()
            seed = plan["seed"] + 1000 * state["starts"] + 10 * state["stage"] + rank
            if args.random:
                stream = RandomStream(stage["T"], seed, model.config.vocab_size)
            else:
                stream = Stream(stage["T"], seed, stage["mix"])
            stream_stage = state["stage"]

        ids, sources, weights = stream.batch(stage["rows"] // args.workers)
        optimizer.zero_grad()
        positions = skipped_positions(len(ids), stage["T"], stage.get("reach", stage["T"]))
        rows = torch.randint(8, stage["T"], (16,))
        due, found = looks(sources, stage["T"] // 8)
        loss, each = compiled(model, ids, weights, positions, rows, due, found,
                              stage.get("sink", 0.0), stage.get("look", 0.0), tuple(plan.get("looking", ())))
        loss.backward()
        optimizer.step(factor)
        meter.add(each, weights)
        state["step"] += 1
        steps_here += 1
        state["tokens"] += stage["rows"] * stage["T"]

        if state["step"] % 25 == 0:
            losses = meter.take()
            if log:
                now = time.time()
                speed = (state["tokens"] - logged_tokens) / (now - logged_at)
                logged_at, logged_tokens = now, state["tokens"]
                entry = {"time": time.strftime("%H:%M:%S"), "stage": state["stage"] + 1, "step": state["step"],
                         "tokens": state["tokens"], "tok/s": round(speed), "lr": round(factor, 4), **losses}
                if state["step"] % 200 == 0:
                    entry["sink"] = sink_shares(model, ids[:4, :-1])
                print(json.dumps(entry), flush=True)
                log.write(json.dumps(entry) + "\n")
                log.flush()
        if rank == 0 and time.time() - saved_at > args.save_every:
            save(last, model, optimizer, state)
            saved_at = time.time()

    if stream:
        stream.close()
    if rank == 0:
        save(last, model, optimizer, state)
        print(json.dumps({"saved": str(last.name), **state}), flush=True)
    if args.workers > 1:
        dist.barrier()
        dist.destroy_process_group()


def main() -> None:
    args = arguments()
    rank = int(os.environ.get("NANO_RANK", "0"))
    if rank > 0 or args.workers == 1:
        return work(args, rank)
    store = HERE / "runs" / f".store-{os.getpid()}"
    store.parent.mkdir(exist_ok=True)
    os.environ["NANO_STORE"] = f"file://{store}"
    others = [
        subprocess.Popen([sys.executable, *sys.argv], env={**os.environ, "NANO_RANK": str(r)})
        for r in range(1, args.workers)
    ]
    try:
        work(args, 0)
    finally:
        for other in others:
            try:
                other.wait(timeout=60)
            except subprocess.TimeoutExpired:
                other.kill()
        store.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
