"""PyTorch peer of one training step of the side network: forward, losses, backward, AdamW, in float32 on the CPU.

    OMP_NUM_THREADS=2 python training_step.py --threads 2 --shape A --shape B --out peers.json

Written as a PyTorch user would who cares about speed; see README.md beside this file for what is measured and why.
"""

import argparse
import json
import shlex
import subprocess
import time
from dataclasses import asdict, dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

import common


@dataclass(frozen=True)
class Config:
    batch: int
    grid: int
    base: int
    side: int
    heads: int
    taps: int  # tap 0 and one per block
    mlp: int = 2
    classes: int = 10
    rank: int = 16
    imitate: tuple = (1, 2)
    words: int = 0  # of a text, which has no grid and no generator

    @property
    def tokens(self):
        return self.words or 1 + self.grid * self.grid

    @property
    def generate(self):
        return () if self.words else (self.taps - 2, self.taps - 1)


SHAPES = {
    "A": Config(batch=64, grid=4, base=128, side=32, heads=2, taps=7),
    "M": Config(batch=16, grid=0, base=384, side=48, heads=3, taps=7, words=128),
    "B": Config(batch=8, grid=14, base=768, side=96, heads=6, taps=13),
}
TAU, TEMPERATURE, KL_WEIGHT, SMOOTHING, IMITATION, GENERATION = 0.1, 2.0, 1.0, 0.0, 4.5, 0.23


class Block(nn.Module):
    """Pre-LN transformer block."""

    def __init__(self, c):
        super().__init__()
        self.heads = c.heads
        self.norm1 = nn.LayerNorm(c.side, eps=1e-6)
        self.qkv = nn.Linear(c.side, 3 * c.side)
        self.proj = nn.Linear(c.side, c.side)
        self.norm2 = nn.LayerNorm(c.side, eps=1e-6)
        self.fc1 = nn.Linear(c.side, c.mlp * c.side)
        self.fc2 = nn.Linear(c.mlp * c.side, c.side)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d)
        x = x + self.proj(y)
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Alignment(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.down = nn.Parameter(0.02 * torch.randn(c.side, c.rank))
        self.up = nn.Parameter(0.02 * torch.randn(c.rank, c.base))

    def forward(self, z):
        return z @ self.down @ self.up


class Generator(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.grid = c.grid
        self.mask_token = nn.Parameter(torch.zeros(c.side))
        self.conv1 = nn.Conv2d(c.side, c.side, 3, padding=1)
        self.conv2 = nn.Conv2d(c.side, c.side, 3, padding=1)

    def forward(self, z, removed):
        """Patches [B, P, D] and which are removed [B, P, 1] -> generated patches [B, P, D]."""
        b, p, d = z.shape
        x = torch.where(removed, self.mask_token, z).transpose(1, 2).reshape(b, d, self.grid, self.grid)
        return self.conv2(F.relu(self.conv1(x))).flatten(2).transpose(1, 2)


class SideNetwork(nn.Module):
    def __init__(self, c, features):
        super().__init__()
        self.c, self.features = c, features
        self.ladder = nn.ModuleList(nn.Linear(c.base, c.side) for _ in range(c.taps))
        self.gates = nn.Parameter(torch.zeros(c.taps - 1))
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.taps - 1))
        self.norm = nn.LayerNorm(c.side, eps=1e-6)
        self.head = nn.Linear(2 * c.side, c.classes)
        if features:
            taps = set(c.imitate) | set(c.generate)
            self.align = nn.ModuleDict({str(l): Alignment(c) for l in taps})
            self.generators = nn.ModuleDict({str(l): Generator(c) for l in c.generate})

    def forward(self, taps, removed, labels, teacher):
        """The loss of a step; ``removed`` is None without the feature path."""
        gates = torch.sigmoid(self.gates / TAU)
        z = self.ladder[0](taps[0])
        states = [z]
        for l, block in enumerate(self.blocks, start=1):
            u = self.ladder[l](taps[l])
            z = block(torch.lerp(u, z, gates[l - 1]))
            states.append(z)
        y = self.norm(z)
        logits = self.head(torch.cat([y[:, 0], y[:, 1:].mean(1)], dim=-1))
        loss = F.cross_entropy(logits, labels, label_smoothing=SMOOTHING)
        loss = loss + KL_WEIGHT * TEMPERATURE**2 * F.kl_div(
            F.log_softmax(logits / TEMPERATURE, -1), F.softmax(teacher / TEMPERATURE, -1), reduction="batchmean")
        if self.features:
            loss = loss + self.feature_losses(states, taps, removed)
        return loss

    def feature_losses(self, states, taps, removed):
        c = self.c
        imitation = sum(F.mse_loss(self.align[str(l)](states[l]), taps[l]) for l in c.imitate)
        generation = 0
        for i, l in enumerate(c.generate):
            # the same number of patches is removed in every sample: gather them, align only those
            rows = removed["rows"][i]
            made = self.generators[str(l)](states[l][:, 1:], removed["flags"][i]).flatten(0, 1)[rows]
            generation = generation + F.mse_loss(self.align[str(l)](made), taps[l][:, 1:].flatten(0, 1)[rows])
        return IMITATION / len(c.imitate) * imitation + GENERATION / max(1, len(c.generate)) * generation


def draw_removed(c, generator):
    """Half of the patches of each sample, per generated tap: flags [B, P, 1] and row numbers."""
    flags, rows = [], []
    patches = c.grid * c.grid
    for _ in c.generate:
        order = torch.rand(c.batch, patches, generator=generator).argsort(dim=1)
        gone = order[:, patches // 2:]
        flag = torch.zeros(c.batch, patches, dtype=torch.bool).scatter_(1, gone, True)
        flags.append(flag[..., None])
        rows.append((gone + patches * torch.arange(c.batch)[:, None]).flatten())
    return {"flags": flags, "rows": rows}


def parameter_groups(model):
    decay = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() <= 1]
    return [{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]


def make_data(c, generator):
    taps = [torch.randn(c.batch, c.tokens, c.base, generator=generator) for _ in range(c.taps)]
    labels = torch.randint(c.classes, (c.batch,), generator=generator)
    return taps, labels, 2 * torch.randn(c.batch, c.classes, generator=generator)


def kept_bytes(model, data, removed, parameters):
    """Bytes of what exists at once when the backward pass begins: what autograd saved, parameters, their gradients and AdamW's
    moments. Taps count on neither side. A lower bound of the peak: temporaries of the operations are not in it."""
    own = {t.untyped_storage().data_ptr() for t in parameters + list(data[0])}
    saved = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    taps, labels, teacher = data
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = model(taps, removed, labels, teacher)  # kept alive to here, so that no address is used twice
    del loss
    return sum(saved.values()) + 4 * sum(p.untyped_storage().nbytes() for p in parameters)


def measure(c, features, compiled, optimizer_kind, steps, warmup):
    torch.manual_seed(1)
    generator = torch.Generator().manual_seed(2)
    data = make_data(c, generator)
    memory = common.PeakMemory().start()
    model = SideNetwork(c, features)
    call = torch.compile(model) if compiled else model
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=3e-3, **{optimizer_kind: True})
    parameters = list(model.parameters())

    def step():
        taps, labels, teacher = data
        removed = draw_removed(c, generator) if features else None
        loss = call(taps, removed, labels, teacher)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss

    first = time.perf_counter()
    loss = step()
    first = time.perf_counter() - first
    for _ in range(warmup - 1):
        loss = step()
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        loss = step()
        times.append(1e3 * (time.perf_counter() - start))
    increase = memory.increase()
    kept = kept_bytes(model, data, draw_removed(c, generator) if features else None, parameters)
    return common.summary(times, "ms") | {
        "min_ms": min(times),
        "max_ms": max(times),
        "steps": steps,
        "first_step_ms": 1e3 * first,
        "rss_increase_bytes": increase,
        "kept_bytes": kept,
        "parameters": sum(p.numel() for p in parameters),
        "last_loss": float(loss.detach()),
    }


def in_sidefade(command, case):
    """The same case there, in a process of its own: TrainingStepRun of bench/, whose command line but for its arguments this is."""
    words = [case["shape"], str(case["features"]).lower(), case["threads"], case["steps"], max(case["warmup"], 40)]
    done = subprocess.run(shlex.split(command) + [str(w) for w in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shape", action="append", choices=sorted(SHAPES), help="default: all")
    parser.add_argument("--steps", type=int, default=30, help="measured steps of a case, at least 2")
    parser.add_argument("--warmup", type=int, default=8)
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--rounds", type=int, default=1, help="how often each case is measured, in turn with the others of its shape")
    parser.add_argument("--sidefade", help="command line of TrainingStepRun, which then takes turns with ours: see README.md")
    parser.add_argument("--out", help="file for the JSON; default: standard output")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        common.run_case(arguments.case, lambda a: measure(
            SHAPES[a["shape"]], a["features"], a["compiled"], a["optimizer"], a["steps"], a["warmup"]))
        return
    results = []
    ours = []
    for shape in arguments.shape or sorted(SHAPES):
        for features in (False, True):
            for round_number in range(arguments.rounds):
                base = {"shape": shape, "features": features, "round": round_number, "threads": arguments.threads,
                        "steps": arguments.steps, "warmup": arguments.warmup}
                if arguments.sidefade:
                    ours.append(base | in_sidefade(arguments.sidefade, base))
                for compiled in (False,) if arguments.no_compile else (False, True):
                    for optimizer in ("foreach", "fused"):
                        case = base | {"compiled": compiled, "optimizer": optimizer}
                        results.append(case | common.in_fresh_process(__file__, case))
    report = {
        "machine": common.machine(arguments.threads),
        "shapes": {name: asdict(c) | {"tokens": c.tokens, "generate": c.generate} for name, c in SHAPES.items()},
        "results": results,
    }
    if arguments.sidefade:
        report["sidefade"] = ours
    common.write(report, arguments.out)


if __name__ == "__main__":
    main()
