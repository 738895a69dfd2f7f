"""PyTorch peer of gradients inside a backbone: full fine-tuning, norms alone, low-rank changes; float32 on the CPU.

    OMP_NUM_THREADS=2 python full_finetuning.py --threads 2 --out full_finetuning.json

The ViT is that of bench/gradients: 28 x 28 grey images, 17 tokens of width 128, 4 heads, MLP x 4; see README.md beside this file.
"""

import argparse
import json
import os
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import common

WIDTH, HEADS, PATCH, SIDE, MLP = 128, 4, 7, 28, 4
TUNINGS = ("full", "norms", "low-rank")
DEPTHS = (6, 2, 4, 8, 12)


class LowRank(nn.Module):
    """A frozen linear layer and a change of its weight, A B."""

    def __init__(self, linear, rank):
        super().__init__()
        self.linear = linear
        self.down = nn.Parameter(0.02 * torch.randn(linear.in_features, rank))
        self.up = nn.Parameter(0.02 * torch.randn(rank, linear.out_features))

    def forward(self, x):
        return self.linear(x) + x @ self.down @ self.up


class Block(nn.Module):
    """Pre-LN transformer block."""

    def __init__(self, attention):
        super().__init__()
        self.attention = attention
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.fc1 = nn.Linear(WIDTH, MLP * WIDTH)
        self.fc2 = nn.Linear(MLP * WIDTH, WIDTH)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, HEADS, d // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        if self.attention == "sdpa":
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = (q * (d // HEADS) ** -0.5 @ k.transpose(-2, -1)).softmax(-1) @ v
        x = x + self.proj(y.transpose(1, 2).reshape(b, n, d))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Backbone(nn.Module):
    """Images to what enters the final norm, [batch, 17, 128]: norm and head behind it are no part of the comparison."""

    def __init__(self, depth, attention):
        super().__init__()
        self.patches = nn.Conv2d(1, WIDTH, PATCH, PATCH)
        self.cls = nn.Parameter(0.02 * torch.randn(1, 1, WIDTH))
        self.positions = nn.Parameter(0.02 * torch.randn(1, 1 + (SIDE // PATCH) ** 2, WIDTH))
        self.blocks = nn.ModuleList(Block(attention) for _ in range(depth))

    def forward(self, images):
        return self.taps(images)[-1]

    def taps(self, images):
        """What enters the first block, and what each block makes of it."""
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.positions
        taps = [x]
        for block in self.blocks:
            taps.append(block(taps[-1]))
        return taps


def tune(model, tuning, rank):
    """Leaves gradients to what is tuned alone."""
    if tuning == "full":
        return
    model.requires_grad_(False)
    for block in model.blocks:
        block.norm1.requires_grad_(True)
        block.norm2.requires_grad_(True)
        if tuning == "low-rank":
            for name in ("qkv", "proj", "fc1", "fc2"):
                setattr(block, name, LowRank(getattr(block, name), rank))


def saved_bytes(model, images):
    """Bytes that the forward pass keeps for the backward pass; each storage once, parameters and the input left out."""
    known = {p.untyped_storage().data_ptr() for p in model.parameters()} | {images.untyped_storage().data_ptr()}
    storages = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = model(images)  # kept alive to here, so that no address is used twice
    return sum(storages.values()), result.shape


def measure(a):
    torch.manual_seed(1)
    images = torch.randn(a["batch"], 1, SIDE, SIDE)
    seed = torch.randn(a["batch"], 1 + (SIDE // PATCH) ** 2, WIDTH)
    memory = common.PeakMemory().start()
    model = Backbone(a["depth"], a["attention"])
    tune(model, a["tuning"], a["rank"])
    tuned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(tuned, lr=1e-5, fused=True)

    @torch.no_grad()
    def forward():
        model(images)

    def gradients():
        model(images).backward(seed)

    def update():
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    for _ in range(a["warmup"]):
        gradients()
        update()
    increase = memory.increase()
    forward()
    times = {"forward": [], "gradients": [], "update": []}
    start = time.perf_counter()
    rounds = 0
    while rounds < 10 or rounds < 60 and time.perf_counter() - start < a["seconds"]:
        times["forward"].append(common.timed(forward))
        times["gradients"].append(common.timed(gradients))
        times["update"].append(common.timed(update))
        rounds += 1
    saved, shape = saved_bytes(model, images)
    assert shape == seed.shape
    result = {"rounds": rounds, "kept_bytes": saved, "resident_growth_bytes": increase,
              "tuned_values": sum(p.numel() for p in tuned)}
    for name, values in times.items():
        result |= {f"{name}_min_ms": min(values), f"{name}_median_ms": statistics.median(values)}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--depth", action="append", type=int, help="default: 6, 2, 4, 8 and 12")
    parser.add_argument("--attention", action="append", choices=("sdpa", "eager"), help="default: both")
    parser.add_argument("--passes", type=int, default=3, help="how often each case runs, in a process of its own")
    parser.add_argument("--seconds", type=float, default=2.5, help="how long a case is timed, at least 10 rounds")
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--out", help="file for the JSON; default: standard output")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        common.run_case(arguments.case, measure)
        return
    results = []
    for number in range(arguments.passes):
        for depth in arguments.depth or DEPTHS:
            for attention in arguments.attention or ("sdpa", "eager"):
                for tuning in TUNINGS:
                    case = {
                        "depth": depth, "batch": arguments.batch, "attention": attention, "tuning": tuning,
                        "rank": arguments.rank, "threads": arguments.threads, "seconds": arguments.seconds,
                        "warmup": arguments.warmup, "pass": number, "load_average": os.getloadavg()[0],
                    }
                    result = common.in_fresh_process(__file__, case)
                    if "failed" in result:
                        raise SystemExit(f"{case} failed: {result['failed']}")
                    results.append(case | result)
                    print(json.dumps(results[-1]), file=sys.stderr)
    common.write({"machine": common.machine(arguments.threads), "results": results}, arguments.out)


if __name__ == "__main__":
    main()
