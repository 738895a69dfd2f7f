"""Gradients of the small backbones' constants, by PyTorch autograd in float64.

    python gradient_golden.py [OUT_DIR]                  the models of src/test/resources/models
    python gradient_golden.py [OUT_DIR] --minilm FILE    the real all-MiniLM-L6-v2 instead

writes one OUT_DIR/NETWORK.safetensors (default: src/test/resources/gradients) for each network of NETWORKS. The networks are
made by tools/exporters/export_backbones.py, with the same seeds, and everything that file needs is needed here; several
exports of one network share a file, and each must give the network's first output within 1e-5 in ONNX Runtime.

Names in a file, all float32 but the ids and masks of text (int64):
  input.{name}                  what the model is fed: other values, batch and length than in the exporter's own golden files
  final_input                   what enters the final norm; of a post-norm network: the last norm inside the last block
  seed                          the gradient of the loss by final_input
  norm.{i}.scale|bias           gradients by the constants of layer norm i, counted in the order of execution from 0; the
                                final norm and norms behind it have none
  linear.{i}.weight|bias        gradients by linear layer i of the blocks, counted likewise; weights are [in, out]. Where
                                blocks are many only those of some blocks are there, under their own numbers
__metadata__.models is the list of exports, separated by spaces.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from safetensors.numpy import save

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/exporters"))
import export_backbones as exporters  # noqa: E402

NETWORKS = {
    "vit": ["vit_timm_legacy14", "vit_timm_legacy17"],
    "vit_shallow": [
        "vit_timm_dynamo18", "vit_timm_dynamo20", "vit_timm_avg_legacy14", "vit_timm_avg_legacy17"],
    "vit_shared": ["vit_timm_shared_legacy17"],
    "vit_oblong": ["vit_timm_eager_dynamo20"],
    "vit_pooled_first": ["vit_timm_avg_fcnorm_dynamo20"],
    "vit_layerscale": ["vit_timm_layerscale_dynamo20"],
    "vit12": ["vit12_legacy17", "vit12_dynamo20"],
    "deit": ["deit_distilled_legacy17"],
    "vit_hf": ["vit_hf_legacy14", "vit_hf_dynamo20"],
    "bert": [
        "bert_legacy14", "bert_legacy17", "bert_sdpa_legacy17", "bert_dynamo20", "bert_eager_dynamo20",
        "bert_model_legacy14", "bert_model_dynamo18"],
    "bert_deeper": ["bert_dynamo18"],
    "roberta": ["roberta_legacy14", "roberta_legacy17", "roberta_dynamo18", "roberta_dynamo20"],
    "distilbert": [
        "distilbert_legacy14", "distilbert_legacy17", "distilbert_dynamo18", "distilbert_dynamo20",
        "distilbert_model_legacy11"],
    "minilm": ["minilm_legacy11", "minilm_legacy14"],
}
SOME_BLOCKS = {"vit12": (0, 6, 11)}


class Execution:
    """Notes norms and linear layers of the blocks as they are executed, up to the final norm."""

    def __init__(self, model, blocks, final_norm):
        self.norms, self.linears, self.final_input = [], [], None
        self.handles = [final_norm.register_forward_pre_hook(self.final)]
        owners = {m: i for i, block in enumerate(blocks) for m in block.modules()}
        for module in model.modules():
            if isinstance(module, torch.nn.LayerNorm) and module is not final_norm:
                self.handles.append(module.register_forward_pre_hook(self.norm))
            if isinstance(module, torch.nn.Linear) and module in owners:
                note = lambda m, a: self.linears.append((owners[m], m))  # noqa: E731
                self.handles.append(module.register_forward_pre_hook(note))

    def norm(self, module, args):
        if self.final_input is None:
            self.norms.append(module)

    def final(self, module, args):
        self.final_input = args[0]

    def remove(self):
        for handle in self.handles:
            handle.remove()


def other_inputs(inputs, pad):
    """Values, batch and length that neither the export nor its golden file has seen; rows of text are padded."""
    generator = torch.Generator().manual_seed(11)
    if "input_ids" not in inputs:
        return {k: torch.randn(2, *v.shape[1:], generator=generator) for k, v in inputs.items()}
    ids = torch.randint(2, 50, (4, 9), generator=generator)
    mask = torch.ones_like(ids)
    for row, length in enumerate((9, 4, 7, 2)):
        mask[row, length:] = 0
    ids[mask == 0] = pad
    types = torch.zeros_like(ids)
    types[:, 3:] = 1
    values = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types * mask}
    return {k: values[k] for k in inputs}


def gradients(model, blocks, final_norm, inputs, some_blocks=None):
    """The tensors of a file but its inputs, and the first output of the model; everything in float64."""
    model = model.double().requires_grad_(True)
    execution = Execution(model, blocks, final_norm)
    doubles = [v.double() if v.is_floating_point() else v for v in inputs.values()]
    result = model(*doubles)
    execution.remove()
    final = execution.final_input
    seed = torch.randn(final.shape, generator=torch.Generator().manual_seed(12)).double()
    parameters = {}
    for i, module in enumerate(execution.norms):
        parameters[f"norm.{i}.scale"], parameters[f"norm.{i}.bias"] = module.weight, module.bias
    for i, (block, module) in enumerate(execution.linears):
        if some_blocks is None or block in some_blocks:
            parameters[f"linear.{i}.weight"], parameters[f"linear.{i}.bias"] = module.weight, module.bias
    found = torch.autograd.grad(final, list(parameters.values()), seed)
    tensors = {"final_input": final, "seed": seed}
    for name, gradient in zip(parameters, found):
        tensors[name] = gradient.T if name.startswith("linear") and name.endswith("weight") else gradient
    first = result[0] if isinstance(result, tuple) else result
    return tensors, first.detach().numpy()


def check(path, inputs, expected):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = session.run(None, {k: v.numpy() for k, v in inputs.items()})[0]
    difference = np.abs(given - expected).max()
    assert difference < 1e-5, f"{path.name} differs by {difference}"
    return difference


def write(path, inputs, tensors, models):
    arrays = {f"input.{k}": v.numpy() for k, v in inputs.items()}
    arrays |= {k: v.detach().float().numpy() for k, v in tensors.items()}
    arrays = {k: np.ascontiguousarray(v) for k, v in arrays.items()}
    path.write_bytes(save(arrays, {"models": " ".join(models)}))
    print(f"{path.name}: {path.stat().st_size} bytes, {len(tensors) - 2} gradients")


def network(out, name, models):
    first = None
    for export in models:
        model, blocks, norm, inputs, _ = exporters.MODELS[export][0]()
        config = getattr(getattr(model, "model", None), "config", None)
        inputs = other_inputs(inputs, getattr(config, "pad_token_id", None))
        tensors, output = gradients(model, blocks, norm, inputs, SOME_BLOCKS.get(name))
        first = first or (inputs, tensors)
        assert tensors.keys() == first[1].keys()
        for key, value in tensors.items():
            # some of transformers' own attentions go through float32 whatever the model is in
            assert torch.allclose(value, first[1][key], rtol=1e-5, atol=1e-6), (export, key)
        check(ROOT / f"src/test/resources/models/{export}.onnx", inputs, output)
    write(out / f"{name}.safetensors", *first, models)


def minilm(out, path):
    """The real model: transformers' BERT with the weights of the graph, whose matrices are [in, out] and nameless."""
    from transformers import BertConfig, BertModel

    graph = onnx.load(path).graph
    weights = {t.name: torch.tensor(onnx.numpy_helper.to_array(t)) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            name = node.output[0].removesuffix("/MatMul_output_0").strip("/").replace("/", ".")
            weights[name + ".weight"] = weights[node.input[1]].T
    config = BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12,
        intermediate_size=1536, layer_norm_eps=1e-12, attn_implementation="eager")
    model = BertModel(config).eval()
    missing = model.load_state_dict(weights, strict=False).missing_keys
    assert not missing, missing
    ids = torch.randint(1000, 30000, (3, 12), generator=torch.Generator().manual_seed(13))
    mask = torch.ones_like(ids)
    mask[1, 5:], mask[2, 9:] = 0, 0
    inputs = {"input_ids": ids * mask, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    wrapped = exporters.Positional(model, list(inputs), ["last_hidden_state"])
    layers = model.encoder.layer
    tensors, output = gradients(wrapped, layers, layers[-1].output.LayerNorm, inputs, ())
    print(f"difference {check(Path(path), inputs, output):.1e}")
    write(out / "minilm_l6.safetensors", inputs, tensors, ["all-minilm-l6-v2"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", nargs="?", default=str(ROOT / "src/test/resources/gradients"))
    parser.add_argument("--minilm", metavar="FILE")
    arguments = parser.parse_args()
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    if arguments.minilm:
        minilm(out, arguments.minilm)
        return
    for name, models in NETWORKS.items():
        network(out, name, models)


if __name__ == "__main__":
    main()
