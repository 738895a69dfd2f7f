"""Whole training steps of three ways to adapt a ViT in PyTorch, float32: full fine-tuning, its norms, a kept side network.

    OMP_NUM_THREADS=2 python whole_steps.py --threads 2 --out whole_steps.json
    python whole_steps.py --device cuda --out whole_steps.json

From images to updated parameters: forward, cross-entropy, backward, clipping, AdamW. See README.md beside this file.
"""

import argparse
import os
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

import common
import full_finetuning as vit
import training_step as side

TUNINGS = ("full", "norms", "side-network")
CLASSES = 10


class Classifier(nn.Module):
    """The ViT with a final norm and a head on the class token and the mean of the others; returns the loss."""

    def __init__(self, depth):
        super().__init__()
        self.backbone = vit.Backbone(depth, "sdpa")
        self.norm = nn.LayerNorm(vit.WIDTH, eps=1e-6)
        self.head = nn.Linear(2 * vit.WIDTH, CLASSES)

    def forward(self, images, labels):
        y = self.norm(self.backbone(images))
        return F.cross_entropy(self.head(torch.cat([y[:, 0], y[:, 1:].mean(1)], -1)), labels)


class Beside(nn.Module):
    """A frozen ViT whose taps a side network reads; the side network is what ships, with the backbone."""

    def __init__(self, depth, batch):
        super().__init__()
        self.backbone = vit.Backbone(depth, "sdpa").requires_grad_(False)
        grid = vit.SIDE // vit.PATCH
        self.side = side.SideNetwork(
            side.Config(batch=batch, grid=grid, base=vit.WIDTH, side=32, heads=2, taps=depth + 1, classes=CLASSES), False)
        self.register_buffer("teacher", torch.zeros(batch, CLASSES))

    def forward(self, images, labels):
        with torch.no_grad():
            taps = self.backbone.taps(images)
        return self.side(taps, None, labels, self.teacher)


def build(a):
    if a["tuning"] == "side-network":
        return Beside(a["depth"], a["batch"])
    model = Classifier(a["depth"])
    vit.tune(model.backbone, a["tuning"], 4)
    return model


def measure(a):
    device = a["device"]
    torch.manual_seed(1)
    images = torch.randn(a["batch"], 1, vit.SIDE, vit.SIDE, device=device)
    labels = torch.randint(CLASSES, (a["batch"],), device=device)
    memory = common.PeakMemory(device).start()
    model = build(a).to(device)
    tuned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(tuned, lr=1e-3, fused=True)
    call = torch.compile(model) if a["way"] == "compile" else model

    def step():
        call(images, labels).backward()
        torch.nn.utils.clip_grad_norm_(tuned, 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    for _ in range(a["warmup"]):
        step()
    common.wait(device)
    samples = [common.timed(step, device) for _ in range(a["steps"])]
    return common.summary(samples, "ms") | {
        "samples_ms": samples, "peak_memory_bytes": memory.increase(), "tuned_values": sum(p.numel() for p in tuned)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--way", action="append", choices=("eager", "compile"), help="default: both")
    parser.add_argument("--steps", type=int, default=30, help="measured steps of a case, at least 2")
    parser.add_argument("--warmup", type=int, default=8)
    parser.add_argument("--passes", type=int, default=2, help="how often each case runs, in a process of its own")
    parser.add_argument("--out", help="file for the JSON; default: standard output")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.case:
        common.run_case(a.case, measure)
        return
    if a.device == "cuda" and not torch.cuda.is_available():
        print("this PyTorch finds no GPU", file=sys.stderr)
        raise SystemExit(69)
    results = []
    for number in range(a.passes):
        for tuning in TUNINGS:
            for way in a.way or ("eager", "compile"):
                case = {"tuning": tuning, "way": way, "device": a.device, "depth": a.depth, "batch": a.batch,
                        "threads": a.threads, "steps": a.steps, "warmup": a.warmup, "pass": number,
                        "load_average": os.getloadavg()[0]}
                results.append(case | common.in_fresh_process(__file__, case))
                print({k: v for k, v in results[-1].items() if k != "samples_ms"}, file=sys.stderr)
    common.write({"machine": common.machine(a.threads, a.device), "results": results}, a.out)


if __name__ == "__main__":
    main()
