"""PyTorch peer of single operations, float32: eager, compiled, and on a GPU replayed as a CUDA graph.

    OMP_NUM_THREADS=2 python operations.py --threads 2 --out operations.json
    python operations.py --device cuda --sidefade ../../sidefade --rounds 3 --out versus.json

Names and shapes are those of ``sidefade bench``; with --sidefade its rounds alternate with ours. See README.md beside this file.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass

import torch
import torch._functorch.config as gradients_of_compiled
import torch.nn.functional as F

import common


@dataclass(frozen=True)
class Shape:
    batch: int
    tokens: int
    base: int
    side: int
    heads: int

    @property
    def rows(self):
        return self.batch * self.tokens


SHAPES = {
    "demo": Shape(64, 17, 128, 32, 2),
    "minilm": Shape(16, 128, 384, 48, 3),
    "vit-b": Shape(8, 197, 768, 96, 6),
}
LOGITS = {"256x10": (256, 10), "4096x1000": (4096, 1000)}
RANK, PARAMETERS = 16, 3_000_000


def adapter(x, gamma, beta, w1, b1, w2, b2):
    return x + torch.addmm(b2, F.gelu(torch.addmm(b1, F.layer_norm(x, x.shape[-1:], gamma, beta, 1e-6), w1)), w2)


def attention(qkv, s):
    q, k, v = qkv.view(s.batch, s.tokens, 3, s.heads, s.side // s.heads).permute(2, 0, 3, 1, 4).unbind(0)
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(s.rows, s.side)


def matching(z, down, up, h):
    return F.mse_loss(z @ down @ up, F.layer_norm(h, h.shape[-1:], eps=1e-6))


def distillation(student, teacher, labels):
    ce = F.cross_entropy(student, labels, label_smoothing=0.1)
    kl = F.kl_div(F.log_softmax(student / 2, -1), F.log_softmax(teacher / 2, -1), reduction="batchmean", log_target=True)
    return ce + 4 * kl


class Operations:
    """Builders of calls: each makes its tensors and returns what is timed. ``wrap`` is torch.compile, or leaves functions alone."""

    def __init__(self, device, wrap):
        self.device, self.wrap = device, wrap

    def random(self, *dims, learns=False):
        return torch.randn(*dims, device=self.device, requires_grad=learns)

    def forward(self, function, *arguments):
        call = self.wrap(function)

        def run():
            with torch.no_grad():
                call(*arguments)
        return run

    def backward(self, function, *arguments):
        """The gradients alone, of a forward pass that was run once."""
        learning = [a for a in arguments if isinstance(a, torch.Tensor) and a.requires_grad]
        result = self.wrap(function)(*arguments)
        seed = torch.randn_like(result)
        return lambda: torch.autograd.grad(result, learning, seed, retain_graph=True)

    def both(self, function, *arguments):
        """Forward and gradients: where Sidefade has them in one call."""
        learning = [a for a in arguments if isinstance(a, torch.Tensor) and a.requires_grad]
        call = self.wrap(function)
        return lambda: torch.autograd.grad(call(*arguments), learning)

    def of_shape(self, s):
        hidden = 2 * s.side
        norm = [self.random(s.side, learns=True) for _ in range(2)]
        weights = [self.random(s.side, learns=True), self.random(s.side, learns=True),
                   self.random(s.side, hidden, learns=True), self.random(hidden, learns=True),
                   self.random(hidden, s.side, learns=True), self.random(s.side, learns=True)]
        x = self.random(s.rows, s.side, learns=True)
        h = self.random(s.rows, s.base)
        w, b = self.random(s.base, s.side, learns=True), self.random(s.side, learns=True)
        c = torch.full((s.rows, 1), 0.75, device=self.device)

        def layer_norm(x, gamma, beta):
            return F.layer_norm(x, (s.side,), gamma, beta, 1e-6)

        return {
            "layerNorm": lambda: self.forward(layer_norm, x, *norm),
            "layerNormBackward": lambda: self.backward(layer_norm, x, *norm),
            "gelu": lambda: self.forward(F.gelu, self.random(s.rows, hidden)),
            "ladderProject": lambda: self.forward(torch.addmm, b, h, w),
            "ladderProjectBackward": lambda: self.backward(torch.addmm, b, h, w),
            "ladderMix": lambda: self.forward(torch.lerp, self.random(s.rows, s.side), self.random(s.rows, s.side), c),
            "adapter": lambda: self.forward(adapter, x, *weights),
            "adapterBackward": lambda: self.backward(adapter, x, *weights),
            "attention": lambda: self.forward(attention, self.random(s.rows, 3 * s.side), s),
            "attentionBackward": lambda: self.backward(attention, self.random(s.rows, 3 * s.side, learns=True), s),
            "featureMatching": lambda: self.both(
                matching, x, self.random(s.side, RANK, learns=True), self.random(RANK, s.base, learns=True), h),
        }

    def logits(self, batch, classes):
        labels = torch.arange(batch, device=self.device) % classes
        return {"logitDistillation": lambda: self.both(
            distillation, self.random(batch, classes, learns=True), self.random(batch, classes), labels)}

    def adamw(self):
        def build():
            parameters = self.random(PARAMETERS, learns=True)
            parameters.grad = torch.randn_like(parameters)
            return torch.optim.AdamW([parameters], lr=1e-3, fused=True, capturable=self.device == "cuda").step
        return {"adamw": build}

    def copy(self, mebibytes):
        source = self.random(mebibytes << 18)
        target = torch.empty_like(source)
        return {"copy": lambda: lambda: target.copy_(source)}

    def all(self, shapes, mebibytes, wanted):
        """Those that are wanted, or all: name, shape, builder."""
        return [case for case in self.every(shapes, mebibytes) if not wanted or case[0] in wanted]

    def every(self, shapes, mebibytes):
        for name in shapes:
            for operation, build in self.of_shape(SHAPES[name]).items():
                yield operation, name, build
        for name, (batch, classes) in LOGITS.items():
            yield "logitDistillation", name, self.logits(batch, classes)["logitDistillation"]
        yield "adamw", str(PARAMETERS), self.adamw()["adamw"]
        yield "copy", f"{mebibytes} MiB", self.copy(mebibytes)["copy"]


def as_graph(build):
    """The call, captured once and replayed."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        call = build()
        for _ in range(3):
            call()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        call()
    return graph.replay


class Timer:
    """Samples of as many calls as take some milliseconds, as ``sidefade bench`` takes them."""

    def __init__(self, call, device, seconds):
        self.call, self.device, self.calls, self.samples = call, device, 1, []
        end = time.perf_counter() + seconds / 3
        last = self.once()
        while time.perf_counter() < end:
            if last * self.calls < 2e3 and self.calls < 10_000:
                self.calls *= 2
            last = self.once()

    def once(self):
        """Microseconds of one of several calls."""
        start = time.perf_counter()
        for _ in range(self.calls):
            self.call()
        common.wait(self.device)
        return 1e6 * (time.perf_counter() - start) / self.calls

    def sample(self):
        self.samples.append(self.once())


def measure(device, ways, shapes, seconds, mebibytes, wanted):
    """All operations; the ways of one operation take turns."""
    built = {
        way: Operations(device, torch.compile if way == "compile" else lambda f: f).all(shapes, mebibytes, wanted)
        for way in ways}
    results = []
    for i, (operation, shape, _) in enumerate(built[ways[0]]):
        timers = {}
        for way in ways:
            case = {"operation": operation, "shape": shape, "way": way}
            try:
                build = built[way][i][2]
                timers[way] = Timer(as_graph(build) if way == "graph" else build(), device, seconds)
            except Exception as e:  # a way that does not work here must not stop the others
                results.append(case | {"failed": f"{type(e).__name__}: {e}".splitlines()[0]})
        end = time.perf_counter() + seconds * len(timers) * 2 / 3
        rounds = 0
        while rounds < 5 or rounds < 200 and time.perf_counter() < end:
            for timer in timers.values():
                timer.sample()
            rounds += 1
        for way, timer in timers.items():
            results.append({"operation": operation, "shape": shape, "way": way, "samples_us": timer.samples})
    return results


def sidefade(program, device, threads, shapes, seconds, mebibytes, wanted):
    """A round of sidefade bench."""
    command = shlex.split(program) + ["bench", "--json", "--device", device, "--threads", str(threads), "--shape", ",".join(shapes),
               "--seconds", str(seconds), "--copy-mib", str(mebibytes)]
    if [name for name in wanted or [] if name != "copy"]:
        command += ["--operation", ",".join(name for name in wanted if name != "copy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    report = json.loads(done.stdout)
    return report["machine"], [
        {"operation": r["operation"], "shape": r["shape"], "way": "Sidefade", "samples_us": r["samples_us"]}
        for r in report["results"]]


def merged(results):
    """One entry for each case, with the samples of all rounds."""
    cases = {}
    for r in results:
        case = cases.setdefault((r["operation"], r["shape"], r["way"]), {k: r[k] for k in ("operation", "shape", "way")})
        if "failed" in r:
            case["failed"] = r["failed"]
        else:
            case.setdefault("samples_us", []).extend(r["samples_us"])
    for case in cases.values():
        if "samples_us" in case:
            samples = case.pop("samples_us")
            case |= common.summary(samples, "us") | {"samples_us": samples}
    return list(cases.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shape", action="append", choices=sorted(SHAPES), help="default: all")
    parser.add_argument("--way", action="append", choices=("eager", "compile", "graph"), help="default: all that there are")
    parser.add_argument("--operation", action="append", help="default: all")
    parser.add_argument("--seconds", type=float, default=0.5, help="time for each operation and way")
    parser.add_argument("--copy-mib", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--sidefade", help="program whose rounds alternate with ours, such as ../../sidefade, with its first arguments")
    parser.add_argument("--out", help="file for the JSON; default: standard output")
    a = parser.parse_args()
    if a.device == "cuda" and not torch.cuda.is_available():
        print("this PyTorch finds no GPU", file=sys.stderr)
        raise SystemExit(69)
    common.prepare(a.threads)
    # gradients are taken again and again from one forward pass
    gradients_of_compiled.donated_buffer = False
    # full float32 on both sides
    torch.backends.cuda.matmul.allow_tf32 = False
    ways = a.way or ["eager", "compile"] + (["graph"] if a.device == "cuda" else [])
    shapes = a.shape or list(SHAPES)
    report = {"machine": common.machine(a.threads, a.device)}
    results = []
    for number in range(a.rounds):
        print(f"round {number + 1} of {a.rounds}", file=sys.stderr)
        if a.sidefade:
            report["sidefade"], ours = sidefade(a.sidefade, a.device, a.threads, shapes, a.seconds, a.copy_mib, a.operation)
            results += ours
        results += measure(a.device, ways, shapes, a.seconds, a.copy_mib, a.operation)
    report["results"] = merged(results)
    common.write(report, a.out)


if __name__ == "__main__":
    main()
