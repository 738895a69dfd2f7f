"""Golden values of one training step of the side network, by PyTorch autograd in float64.

    python side_network_golden.py [FILE]

writes FILE (default: src/test/resources/golden/side_network.safetensors of this checkout), everything rounded to float32 at
the end. It needs torch and safetensors, and gives the same file on every run with the same versions.

Networks, each with the ladder's token mask in both places ("state", "input"):
  transformer   pre-LN transformer side blocks, CONV generator
  adapter       adapter side blocks, CONV generator
  sequence      transformer side blocks, SEQUENCE generator, the last tokens of two samples are padding
Widths, counts and weights of the losses: the __metadata__ of the file ("config", JSON) and CONFIG below.

With row vectors, all weights [in, out], rows = batch * tokens, m = keep, g_l = sigmoid(gates[l-1] / tau):
  U_l = H_l W_l + b_l   (l = 0..3);   Z_0 = U_0
  c_l = 1 - m g_l ("state"), m (1 - g_l) ("input");   X_l = Z_{l-1} + c_l (U_l - Z_{l-1});   Z_l = block_l(X_l)   (l = 1..3)
  transformer block: Y = X + attention(LN1(X) Wqkv + bqkv) Wproj + bproj;   Z = Y + gelu(LN2(Y) W1 + b1) W2 + b2
  adapter block:     Z = X + gelu(LN(X) W1 + b1) W2 + b2
  logits = [CLS ; mean over valid tokens after the prefix] of LN(Z_3), times W_S, plus b_S
Losses, summed with their weights in "losses.total":
  cross_entropy  label smoothing 0.1, mean over the rows with a label (one has none: -1)
  divergence     T^2 KL(teacher || student) at T = 2, mean over all rows; unweighted in the file
  imitation      0.3 / (DB sum v) sum v (Z_1 down_1 up_1 - t(H_1))^2, v = 1 on tokens, 0 on padding; weighted in the file
  generation     0.2 / (DB sum r) sum r (G down_3 up_3 - t(H_3))^2, r = removed; weighted in the file
                 Xt = mask token where removed, Z_3 elsewhere; G = conv3x3(relu(conv3x3(Xt))) on the grid (prefix rows 0), weights
                 [9 * in, out] with rows ordered (ky, kx, in), or G = transformer block(Xt)
  t is the identity for "state" and a LayerNorm without parameters (eps 1e-6) for "input".

Names in the file:
  inputs.taps.{0..3} [rows, DB]   inputs.keep [rows]   inputs.labels [batch] (-1: none)   inputs.teacher [batch, classes]
  inputs.removed [rows]           inputs.valid [rows] (for "sequence" only; the others have no padding)
  {network}.parameters.{name}
  {network}.{placement}.z.{0..3} [rows, DS]; for "sequence" rows of padding are meaningless and 0 in the file
  {network}.{placement}.logits [batch, classes]
  {network}.{placement}.losses.{cross_entropy,divergence,imitation,generation,total} [1]
  {network}.{placement}.gradients.{name}: of losses.total by every parameter
{name} is one of
  ladder.{0..3}.weight|bias   gates [3]   norm.gamma|beta   head.weight|bias   align.{1,3}.down|up
  blocks.{1..3}.norm1.gamma|beta, qkv.weight|bias, proj.weight|bias, norm2.gamma|beta, fc1.weight|bias, fc2.weight|bias
  blocks.{1..3}.norm.gamma|beta, fc1.weight|bias, fc2.weight|bias      (adapter)
  generator.3.mask_token [DS]   generator.3.conv1.weight|bias, conv2.weight|bias   generator.3.block.* as a transformer block
"""

import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

CONFIG = {
    "blocks": 3, "base_width": 24, "side_width": 16, "heads": 2, "hidden": {"transformer": 32, "adapter": 8},
    "batch": 3, "tokens": 5, "prefix": 1, "grid": [2, 2], "classes": 4, "rank": 6, "epsilon": 1e-6, "tau": 0.1,
    "pooling": "CLS_MEAN", "temperature": 2.0, "kl_weight": 0.7, "ce_weight": 1.0, "label_smoothing": 0.1,
    "imitation": {"taps": [1], "weight": 0.3}, "generation": {"taps": [3], "weight": 0.2},
    "standardize": {"state": False, "input": True},
}
B, N, L = CONFIG["batch"], CONFIG["tokens"], CONFIG["blocks"]
DB, DS, RANK, CLASSES = CONFIG["base_width"], CONFIG["side_width"], CONFIG["rank"], CONFIG["classes"]
EPS = CONFIG["epsilon"]
torch.set_default_dtype(torch.float64)


def make_inputs():
    """Values that float32 holds exactly, so that rounding at the end changes no input."""
    labels = torch.tensor([2, -1, 0])
    keep = torch.tensor([[1, 1, 0, 1, 0], [0, 1, 1, 0, 1], [1, 0, 1, 1, 1]], dtype=torch.float64)
    removed = torch.tensor([[0, 1, 0, 0, 1], [0, 0, 1, 1, 0], [0, 1, 0, 0, 0]], dtype=torch.float64)
    valid = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0], [1, 1, 1, 0, 0]], dtype=torch.float64)
    return {
        "taps": [exact(torch.randn(B, N, DB)) for _ in range(L + 1)],
        "teacher": exact(2 * torch.randn(B, CLASSES)),
        "labels": labels, "keep": keep, "removed": removed, "valid": valid,
    }


def exact(t):
    return t.float().double()


def make_parameters(network):
    p = {}

    def linear(name, inner, outer, fan_in=None):
        p[f"{name}.weight"] = torch.randn(inner, outer) / (fan_in or inner) ** 0.5
        p[f"{name}.bias"] = 0.1 * torch.randn(outer)

    def norm(name, width):
        p[f"{name}.gamma"] = 1 + 0.2 * torch.randn(width)
        p[f"{name}.beta"] = 0.2 * torch.randn(width)

    def transformer_block(name):
        hidden = CONFIG["hidden"]["transformer"]
        norm(f"{name}.norm1", DS)
        linear(f"{name}.qkv", DS, 3 * DS)
        linear(f"{name}.proj", DS, DS)
        norm(f"{name}.norm2", DS)
        linear(f"{name}.fc1", DS, hidden)
        linear(f"{name}.fc2", hidden, DS)

    def adapter_block(name):
        hidden = CONFIG["hidden"]["adapter"]
        norm(f"{name}.norm", DS)
        linear(f"{name}.fc1", DS, hidden)
        linear(f"{name}.fc2", hidden, DS)

    for l in range(L + 1):
        linear(f"ladder.{l}", DB, DS)
    p["gates"] = 0.1 * torch.randn(L)
    for l in range(1, L + 1):
        (adapter_block if network == "adapter" else transformer_block)(f"blocks.{l}")
    norm("norm", DS)
    linear("head", 2 * DS, CLASSES)
    for l in CONFIG["imitation"]["taps"] + CONFIG["generation"]["taps"]:
        p[f"align.{l}.down"] = torch.randn(DS, RANK) / DS**0.5
        p[f"align.{l}.up"] = torch.randn(RANK, DB) / RANK**0.5
    for l in CONFIG["generation"]["taps"]:
        p[f"generator.{l}.mask_token"] = torch.randn(DS)
        if network == "sequence":
            transformer_block(f"generator.{l}.block")
        else:
            linear(f"generator.{l}.conv1", 9 * DS, DS)
            linear(f"generator.{l}.conv2", 9 * DS, DS)
    return {name: exact(t).requires_grad_() for name, t in p.items()}


def linear(p, name, x):
    return x @ p[f"{name}.weight"] + p[f"{name}.bias"]


def norm(p, name, x):
    return F.layer_norm(x, (x.shape[-1],), p[f"{name}.gamma"], p[f"{name}.beta"], EPS)


def attention(qkv, valid):
    heads = CONFIG["heads"]
    q, k, v = (t.view(B, N, heads, DS // heads).transpose(1, 2) for t in qkv.chunk(3, dim=-1))
    mask = None if valid is None else valid.bool()[:, None, None, :]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(B, N, DS)


def transformer_block(p, name, x, valid):
    y = x + linear(p, f"{name}.proj", attention(linear(p, f"{name}.qkv", norm(p, f"{name}.norm1", x)), valid))
    return y + linear(p, f"{name}.fc2", F.gelu(linear(p, f"{name}.fc1", norm(p, f"{name}.norm2", y))))


def adapter_block(p, name, x):
    return x + linear(p, f"{name}.fc2", F.gelu(linear(p, f"{name}.fc1", norm(p, f"{name}.norm", x))))


def conv3x3(p, name, x):
    """[B, N, in] -> [B, N, out] on the grid behind the prefix, whose rows become 0."""
    prefix, (height, width) = CONFIG["prefix"], CONFIG["grid"]
    grid = x[:, prefix:].transpose(1, 2).reshape(B, -1, height, width)
    weight = p[f"{name}.weight"].view(3, 3, grid.shape[1], -1).permute(3, 2, 0, 1)
    out = F.conv2d(grid, weight, p[f"{name}.bias"], padding=1).flatten(2).transpose(1, 2)
    return torch.cat([out.new_zeros(B, prefix, out.shape[-1]), out], dim=1)


def pool(x, valid):
    prefix = CONFIG["prefix"]
    weight = torch.ones(B, N) if valid is None else valid
    weight = weight[:, prefix:, None]
    mean = (x[:, prefix:] * weight).sum(1) / weight.sum(1)
    return torch.cat([x[:, 0], mean], dim=-1)


def matching(p, tap, z, target, v, weight, standardize):
    if standardize:
        target = F.layer_norm(target, (DB,), eps=1e-6)
    error = z @ p[f"align.{tap}.down"] @ p[f"align.{tap}.up"] - target
    return weight / (DB * v.sum()) * (v[..., None] * error**2).sum()


def generate(p, tap, network, z, removed, valid):
    x = torch.where(removed[..., None] == 1, p[f"generator.{tap}.mask_token"], z)
    if network == "sequence":
        return transformer_block(p, f"generator.{tap}.block", x, valid)
    return conv3x3(p, f"generator.{tap}.conv2", F.relu(conv3x3(p, f"generator.{tap}.conv1", x)))


def forward(p, inputs, network, placement):
    valid = inputs["valid"] if network == "sequence" else None
    keep = inputs["keep"][..., None]
    u = [linear(p, f"ladder.{l}", inputs["taps"][l]) for l in range(L + 1)]
    z = [u[0]]
    for l in range(1, L + 1):
        g = torch.sigmoid(p["gates"][l - 1] / CONFIG["tau"])
        c = 1 - keep * g if placement == "state" else keep * (1 - g)
        x = z[-1] + c * (u[l] - z[-1])
        name = f"blocks.{l}"
        z.append(adapter_block(p, name, x) if network == "adapter" else transformer_block(p, name, x, valid))
    logits = linear(p, "head", pool(norm(p, "norm", z[-1]), valid))
    return z, logits, losses(p, inputs, network, placement, z, logits, valid)


def losses(p, inputs, network, placement, z, logits, valid):
    t = CONFIG["temperature"]
    labelled = inputs["labels"] >= 0
    ce = F.cross_entropy(logits[labelled], inputs["labels"][labelled], label_smoothing=CONFIG["label_smoothing"])
    kl = t * t * F.kl_div(
        F.log_softmax(logits / t, -1), F.log_softmax(inputs["teacher"] / t, -1), reduction="batchmean", log_target=True)
    counts = torch.ones(B, N) if valid is None else valid
    standardize = CONFIG["standardize"][placement]
    imitation = sum(
        matching(p, l, z[l], inputs["taps"][l], counts, CONFIG["imitation"]["weight"], standardize)
        for l in CONFIG["imitation"]["taps"])
    generation = sum(
        matching(
            p, l, generate(p, l, network, z[l], inputs["removed"], valid), inputs["taps"][l], inputs["removed"],
            CONFIG["generation"]["weight"], standardize)
        for l in CONFIG["generation"]["taps"])
    total = CONFIG["ce_weight"] * ce + CONFIG["kl_weight"] * kl + imitation + generation
    return {
        "cross_entropy": ce, "divergence": kl, "imitation": imitation, "generation": generation, "total": total}


def main():
    default = pathlib.Path(__file__).parents[2] / "src/test/resources/golden/side_network.safetensors"
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    torch.manual_seed(20260)
    inputs = make_inputs()
    out = {f"inputs.taps.{l}": t.view(B * N, DB) for l, t in enumerate(inputs["taps"])}
    out |= {f"inputs.{name}": inputs[name].reshape(-1) for name in ("keep", "removed", "valid")}
    out["inputs.teacher"] = inputs["teacher"]
    for network in ("transformer", "adapter", "sequence"):
        p = make_parameters(network)
        out |= {f"{network}.parameters.{name}": t for name, t in p.items()}
        for placement in ("state", "input"):
            z, logits, terms = forward(p, inputs, network, placement)
            gradients = torch.autograd.grad(terms["total"], list(p.values()))
            prefix = f"{network}.{placement}"
            token = inputs["valid"][..., None] if network == "sequence" else 1
            out |= {f"{prefix}.z.{l}": (t * token).view(B * N, DS) for l, t in enumerate(z)}
            out[f"{prefix}.logits"] = logits
            out |= {f"{prefix}.losses.{name}": t.view(1) for name, t in terms.items()}
            out |= {f"{prefix}.gradients.{name}": g for name, g in zip(p, gradients)}
    out = {name: t.detach().float().contiguous().clone() for name, t in out.items()}
    out["inputs.labels"] = inputs["labels"].float()
    metadata = {"config": json.dumps(CONFIG), "torch": torch.__version__}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(out, path, metadata=metadata)
    print(f"{path}: {path.stat().st_size / 1024:.0f} KiB, {len(out)} tensors")


if __name__ == "__main__":
    main()
