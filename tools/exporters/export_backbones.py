"""Makes the small random-weight ONNX backbones under src/test/resources/models and their golden values.

Every model is a real export of a real architecture (timm, transformers), only tiny. Beside NAME.onnx lies
NAME.golden.safetensors with what PyTorch computed for a batch of 3:

    input.<name>   every graph input
    tap.0 .. tap.L the residual stream: what enters block 0 and what every block returns
    final          output of the final norm (pre-norm) or of the last block's second norm (post-norm)
    logits         first output of the model
    pooled         second output, where the model has one

Usage: python export_backbones.py [OUT_DIR] [NAME_PART ...]
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from safetensors.numpy import save

warnings.filterwarnings("ignore")
BATCH = 3
DIM, DEPTH, HEADS, CLASSES = 32, 3, 2, 5


def randomise(model, seed):
    """Gives norms, biases and tokens values that differ from 1 and 0, and from each other."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1 or "token" in name or "pos" in name:
            parameter.data.add_(0.2 * torch.randn(parameter.shape, generator=generator))
        else:
            parameter.data.copy_(0.15 * torch.randn(parameter.shape, generator=generator))
    return model.eval().requires_grad_(False)


class Recorder:
    """Keeps what enters the first block, what every block returns and what the final norm returns."""

    def __init__(self, blocks, norm):
        self.taps, self.final = [], None
        self.handles = [blocks[0].register_forward_pre_hook(lambda m, a: self.taps.append(a[0]))]
        self.handles += [b.register_forward_hook(self.block) for b in blocks]
        if norm is not None:
            self.handles.append(norm.register_forward_hook(self.norm))

    def block(self, module, args, output):
        self.taps.append(output[0] if isinstance(output, tuple) else output)

    def norm(self, module, args, output):
        self.final = output

    def remove(self):
        for handle in self.handles:
            handle.remove()


class Positional(torch.nn.Module):
    """Fixes the keyword names and the tuple of outputs of a transformers model, for the exporters."""

    def __init__(self, model, names, outputs):
        super().__init__()
        self.model, self.names, self.outputs = model, names, outputs

    def forward(self, *args):
        result = self.model(**dict(zip(self.names, args)))
        values = tuple(result[o] for o in self.outputs)
        return values if len(values) > 1 else values[0]


def equal_norms(model):
    """Makes all norms equal, as after initialisation: the legacy exporter then shares their constants."""
    for module in model.modules():
        if isinstance(module, torch.nn.LayerNorm):
            torch.nn.init.constant_(module.weight, 1.25)
            torch.nn.init.constant_(module.bias, 0.5)
    return model


def timm_vit(fused=True, distilled=False, equal=False, **options):
    import timm
    from timm.models.vision_transformer import VisionTransformer
    from timm.models.deit import VisionTransformerDistilled

    timm.layers.set_fused_attn(fused)
    torch.manual_seed(1)
    kind = VisionTransformerDistilled if distilled else VisionTransformer
    settings = dict(img_size=24, patch_size=8, num_classes=CLASSES, embed_dim=DIM, depth=DEPTH)
    model = kind(**(settings | dict(num_heads=HEADS, mlp_ratio=2) | options))
    norm = model.norm if not isinstance(model.norm, torch.nn.Identity) else model.fc_norm
    generator = torch.Generator().manual_seed(2)
    chans = options.get("in_chans", 3)
    images = torch.randn(BATCH, chans, *model.patch_embed.img_size, generator=generator)
    model = equal_norms(randomise(model, 3)) if equal else randomise(model, 3)
    return model, model.blocks, norm, {"image": images}, ["logits"]


def hf_vit(classify, attention, depth=DEPTH):
    from transformers import ViTConfig, ViTForImageClassification, ViTModel

    torch.manual_seed(1)
    config = ViTConfig(
        hidden_size=DIM, num_hidden_layers=depth, num_attention_heads=HEADS, intermediate_size=64,
        image_size=24, patch_size=8, num_labels=CLASSES, attn_implementation=attention)
    model = (ViTForImageClassification if classify else ViTModel)(config)
    body = model.vit if classify else model
    images = torch.randn(BATCH, 3, 24, 24, generator=torch.Generator().manual_seed(2))
    outputs = ["logits"] if classify else ["last_hidden_state", "pooler_output"]
    blocks = body.encoder.layer if hasattr(body, "encoder") else body.layers
    wrapped = Positional(randomise(model, 3), ["pixel_values"], outputs)
    return wrapped, blocks, body.layernorm, {"pixel_values": images}, outputs


def hf_bert(classify, attention, depth=DEPTH):
    from transformers import BertConfig, BertForSequenceClassification, BertModel

    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=50, hidden_size=DIM, num_hidden_layers=depth, num_attention_heads=HEADS,
        intermediate_size=64, max_position_embeddings=40, num_labels=CLASSES,
        attn_implementation=attention)
    model = (BertForSequenceClassification if classify else BertModel)(config)
    body = model.bert if classify else model
    ids = torch.randint(0, 50, (BATCH, 11), generator=torch.Generator().manual_seed(2))
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    types = torch.zeros_like(ids)
    types[:, 5:] = 1
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
    outputs = ["logits"] if classify else ["last_hidden_state", "pooler_output"]
    wrapped = Positional(randomise(model, 3), list(inputs), outputs)
    return wrapped, body.encoder.layer, body.encoder.layer[-1].output.LayerNorm, inputs, outputs


def hf_text(kind, classify, attention, depth=2, heads=HEADS):
    """RoBERTa or DistilBERT, which take no token types, or a plain BERT with more heads as in MiniLM."""
    import transformers

    torch.manual_seed(1)
    sizes = dict(vocab_size=50, max_position_embeddings=48, num_labels=CLASSES)
    if kind == "DistilBert":
        sizes |= dict(dim=DIM, n_layers=depth, n_heads=heads, hidden_dim=64, pad_token_id=0)
    else:
        sizes |= dict(
            hidden_size=DIM, num_hidden_layers=depth, num_attention_heads=heads, intermediate_size=64)
    if kind == "Roberta":
        sizes |= dict(type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5)
    config = getattr(transformers, kind + "Config")(**sizes, attn_implementation=attention)
    model = getattr(transformers, kind + ("ForSequenceClassification" if classify else "Model"))(config)
    body = getattr(model, kind.lower()) if classify else model
    blocks = (body.transformer if kind == "DistilBert" else body.encoder).layer
    last = blocks[-1].output_layer_norm if kind == "DistilBert" else blocks[-1].output.LayerNorm
    ids = torch.randint(2, 50, (BATCH, 11), generator=torch.Generator().manual_seed(2))
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    mask[2, 3:] = 0
    ids[mask == 0] = config.pad_token_id
    inputs = {"input_ids": ids, "attention_mask": mask}
    if kind == "Bert":
        inputs["token_type_ids"] = torch.zeros_like(ids)
    whole = ["last_hidden_state"] if kind == "DistilBert" else ["last_hidden_state", "pooler_output"]
    outputs = ["logits"] if classify else whole
    wrapped = Positional(randomise(model, 3), list(inputs), outputs)
    return wrapped, blocks, last, inputs, outputs


def export(path, made, exporter, opset, external=False):
    model, _, _, inputs, outputs = made
    text = "input_ids" in inputs
    axes = {0: "batch", 1: "sequence"} if text else {0: "batch"}
    args = tuple(inputs.values())
    if exporter == "legacy":
        torch.onnx.export(
            model, args, str(path), dynamo=False, opset_version=opset, input_names=list(inputs),
            output_names=outputs,
            dynamic_axes={n: axes for n in inputs} | {o: {0: "batch"} for o in outputs})
        return
    batch = torch.export.Dim("batch", min=1, max=1024)
    dims = {0: batch, 1: torch.export.Dim("sequence", min=2, max=40)} if text else {0: batch}
    shapes = tuple(dims for _ in inputs)
    if isinstance(model, Positional):
        shapes = (shapes,)
    torch.onnx.export(
        model, args, str(path), dynamo=True, opset_version=opset, input_names=list(inputs),
        output_names=outputs, dynamic_shapes=shapes, external_data=external, verbose=False)
    strip(path, external)


def strip(path, external):
    """Drops the stack traces that the dynamo exporter writes into every node: half of a tiny file."""
    model = onnx.load(str(path), load_external_data=False)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    onnx.save(model, str(path))


def golden(made):
    model, blocks, norm, inputs, outputs = made
    recorder = Recorder(blocks, norm)
    result = model(*inputs.values())
    recorder.remove()
    result = result if isinstance(result, tuple) else (result,)
    tensors = {f"input.{k}": v for k, v in inputs.items()}
    tensors |= {f"tap.{i}": t for i, t in enumerate(recorder.taps)}
    tensors["final"] = recorder.final
    tensors["logits"] = result[0]
    if len(result) > 1:
        tensors["pooled"] = result[1]
    return {k: np.ascontiguousarray(v.detach().numpy()) for k, v in tensors.items()}


def check(path, made, values):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feeds = {k: v.numpy() for k, v in made[3].items()}
    feeds = {i.name: feeds[i.name] for i in session.get_inputs()}
    difference = np.abs(session.run(None, feeds)[0] - values["logits"]).max()
    small = {k: v[:1] for k, v in feeds.items()}
    difference = max(difference, np.abs(session.run(None, small)[0] - values["logits"][:1]).max())
    assert difference < 1e-4, difference
    return difference


def optimise(source, target):
    """What must be refused: the graph after ONNX Runtime's own fusions."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    ort.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


MODELS = {
    "vit_timm_legacy14": (lambda: timm_vit(fused=False), "legacy", 14),
    "vit_timm_legacy17": (lambda: timm_vit(), "legacy", 17),
    "vit_timm_shared_legacy17": (lambda: timm_vit(equal=True, depth=2), "legacy", 17),
    "vit_timm_dynamo18": (lambda: timm_vit(depth=2), "dynamo", 18),
    "vit_timm_dynamo20": (lambda: timm_vit(depth=2), "dynamo", 20),
    "vit_timm_eager_dynamo20": (
        lambda: timm_vit(fused=False, img_size=(16, 32), depth=2, in_chans=1), "dynamo", 20),
    "vit_timm_avg_legacy17": (
        lambda: timm_vit(global_pool="avg", fc_norm=False, depth=2), "legacy", 17),
    "vit_timm_avg_legacy14": (
        lambda: timm_vit(global_pool="avg", fc_norm=False, depth=2), "legacy", 14),
    "vit_timm_avg_fcnorm_dynamo20": (
        lambda: timm_vit(global_pool="avg", class_token=False, depth=2), "dynamo", 20),
    "vit_timm_layerscale_dynamo20": (
        lambda: timm_vit(init_values=0.5, qk_norm=True, depth=2, reg_tokens=2), "dynamo", 20),
    "vit_timm_external_dynamo20": (lambda: timm_vit(depth=1), "external", 20),
    "deit_distilled_legacy17": (lambda: timm_vit(distilled=True, depth=2), "legacy", 17),
    "vit_hf_legacy14": (lambda: hf_vit(True, "eager", 2), "legacy", 14),
    "vit_hf_dynamo20": (lambda: hf_vit(True, "sdpa", 2), "dynamo", 20),
    "vit_hf_model_legacy17": (lambda: hf_vit(False, "sdpa", 2), "legacy", 17),
    "bert_model_legacy14": (lambda: hf_bert(False, "eager", 2), "legacy", 14),
    "bert_model_dynamo18": (lambda: hf_bert(False, "sdpa", 2), "dynamo", 18),
    "bert_legacy14": (lambda: hf_bert(True, "sdpa", 2), "legacy", 14),
    "bert_legacy17": (lambda: hf_bert(True, "eager", 2), "legacy", 17),
    "bert_sdpa_legacy17": (lambda: hf_bert(True, "sdpa", 2), "legacy", 17),
    "bert_dynamo18": (lambda: hf_bert(True, "sdpa"), "dynamo", 18),
    "bert_dynamo20": (lambda: hf_bert(True, "sdpa", 2), "dynamo", 20),
    "bert_eager_dynamo20": (lambda: hf_bert(True, "eager", 2), "dynamo", 20),
    "roberta_legacy14": (lambda: hf_text("Roberta", True, "eager"), "legacy", 14),
    "roberta_legacy17": (lambda: hf_text("Roberta", True, "sdpa"), "legacy", 17),
    "roberta_dynamo18": (lambda: hf_text("Roberta", True, "eager"), "dynamo", 18),
    "roberta_dynamo20": (lambda: hf_text("Roberta", True, "sdpa"), "dynamo", 20),
    "roberta_model_legacy17": (lambda: hf_text("Roberta", False, "eager"), "legacy", 17),
    "distilbert_legacy14": (lambda: hf_text("DistilBert", True, "sdpa"), "legacy", 14),
    "distilbert_legacy17": (lambda: hf_text("DistilBert", True, "eager"), "legacy", 17),
    "distilbert_dynamo18": (lambda: hf_text("DistilBert", True, "sdpa"), "dynamo", 18),
    "distilbert_dynamo20": (lambda: hf_text("DistilBert", True, "eager"), "dynamo", 20),
    "distilbert_model_legacy11": (lambda: hf_text("DistilBert", False, "eager"), "legacy", 11),
    "minilm_legacy11": (lambda: hf_text("Bert", False, "eager", 3, 4), "legacy", 11),
    "minilm_legacy14": (lambda: hf_text("Bert", False, "sdpa", 3, 4), "legacy", 14),
    "vit12_legacy17": (lambda: timm_vit(depth=12), "legacy", 17),
    "vit12_dynamo20": (lambda: timm_vit(depth=12), "dynamo", 20),
}


def main():
    here = Path(__file__).resolve().parents[2] / "src/test/resources/models"
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else here
    out.mkdir(parents=True, exist_ok=True)
    for name, (make, exporter, opset) in MODELS.items():
        if len(sys.argv) > 2 and not any(part in name for part in sys.argv[2:]):
            continue
        path = out / f"{name}.onnx"
        try:
            made = make()
            values = golden(made)
            external = exporter == "external"
            export(path, made, "dynamo" if external else exporter, opset, external)
            difference = check(path, made, values)
        except Exception as error:  # one combination that fails must not hide the others
            path.unlink(missing_ok=True)
            print(f"FAILED {name}: {type(error).__name__}: {str(error)[:300]}")
            continue
        (out / f"{name}.golden.safetensors").write_bytes(save(values))
        opsets = {o.domain or "ai.onnx": o.version for o in onnx.load(str(path)).opset_import}
        print(f"{name}: {path.stat().st_size} bytes, {opsets}, difference {difference:.1e}")
        if name in ("vit_timm_dynamo20", "bert_legacy17"):
            optimise(path, out / f"{name}_ort.onnx")


if __name__ == "__main__":
    main()
