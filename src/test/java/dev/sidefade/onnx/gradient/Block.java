package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.gradient.Tensors.Tensor;
import java.util.List;

/** A transformer block with a head, pre-norm, in the forms in which exporters write one. */
final class Block {
  private static final long BATCH = 2;
  private static final long TOKENS = 3;
  private static final long WIDTH = 4;
  private static final long HEADS = 2;

  private final GradientCase made;
  private final long opset;

  /** Whether norms and activations are single operators, as far as the opset has them. */
  private final boolean operators;

  private Block(long opset, boolean operators) {
    this.made = new GradientCase(opset);
    this.opset = opset;
    this.operators = operators;
  }

  /**
   * Tokens "x" with a mask to logits "y" and the stream behind the attention "tap".
   *
   * @param operators whether norms and activations are single operators, where the opset has them
   */
  static GradientCase of(long opset, boolean operators) {
    Block block = new Block(opset, operators);
    block.build();
    return block.made;
  }

  private void build() {
    made.by("x", BATCH, TOKENS, WIDTH);
    made.fed("mask", new Tensor(ElementType.INT64, new double[] {1, 1, 0, 1, 1, 1}, BATCH, TOKENS));
    norm("x", "first");
    attention("first", "attended");
    made.node("Add", List.of("x", "attended"), "tap");
    norm("tap", "second");
    made.constant("up", WIDTH, 2 * WIDTH).by("up-bias", 2 * WIDTH);
    made.node("MatMul", List.of("second", "up"), "up-product");
    made.node("Add", List.of("up-bias", "up-product"), "hidden");
    activation("hidden", "active");
    made.by("down", 2 * WIDTH, WIDTH);
    made.node("MatMul", List.of("active", "down"), "mlp");
    made.node("Add", List.of("mlp", "tap"), "stream");
    made.indices("class-token", new long[] {0});
    made.node("Gather", List.of("stream", "class-token"), "cls", Attribute.of("axis", 1));
    made.by("head", 5, WIDTH).by("head-bias", 5);
    made.node("Gemm", List.of("cls", "head", "head-bias"), "y", Attribute.of("transB", 1));
    made.of("y", "tap");
    if (operators) {
      made.inSinglePrecision();
    }
  }

  private void norm(String x, String y) {
    String scale = y + "-scale";
    String bias = y + "-bias";
    made.between(scale, 0.5, 1.5, WIDTH).by(bias, WIDTH);
    if (operators && opset >= 17) {
      made.node("LayerNormalization", List.of(x, scale, bias), y, Attribute.of("epsilon", 1e-3f));
      return;
    }
    made.number(y + "-two", 2).number(y + "-epsilon", 1e-3);
    mean(x, y + "-mean");
    made.node("Sub", List.of(x, y + "-mean"), y + "-centred");
    made.node("Pow", List.of(y + "-centred", y + "-two"), y + "-square");
    mean(y + "-square", y + "-variance");
    made.node("Add", List.of(y + "-variance", y + "-epsilon"), y + "-positive");
    made.node("Sqrt", List.of(y + "-positive"), y + "-deviation");
    made.node("Div", List.of(y + "-centred", y + "-deviation"), y + "-normal");
    made.node("Mul", List.of(y + "-normal", scale), y + "-scaled");
    made.node("Add", List.of(y + "-scaled", bias), y);
  }

  private void mean(String x, String y) {
    if (opset >= 18) {
      made.longs(y + "-axes", -1).node("ReduceMean", List.of(x, y + "-axes"), y);
    } else {
      made.node("ReduceMean", List.of(x), y, Attribute.ints("axes", -1));
    }
  }

  private void attention(String x, String y) {
    made.by("qkv", WIDTH, 3 * WIDTH).constant("qkv-bias", 3 * WIDTH);
    made.node("MatMul", List.of(x, "qkv"), "qkv-product");
    made.node("Add", List.of("qkv-product", "qkv-bias"), "qkv-sum");
    made.longs("apart", 0, 0, 3, HEADS, WIDTH / HEADS);
    made.node("Reshape", List.of("qkv-sum", "apart"), "qkv-apart");
    made.node("Transpose", List.of("qkv-apart"), "three", Attribute.ints("perm", 2, 0, 3, 1, 4));
    for (int i = 0; i < 3; i++) {
      String part = List.of("q", "k", "v").get(i);
      made.indices("at-" + part, new long[] {i});
      made.node("Gather", List.of("three", "at-" + part), part, Attribute.of("axis", 0));
    }
    made.node("Transpose", List.of("k"), "keys", Attribute.ints("perm", 0, 1, 3, 2));
    made.number("root", Math.sqrt(WIDTH / (double) HEADS));
    made.node("Div", List.of("q", "root"), "queries");
    made.node("MatMul", List.of("queries", "keys"), "scores");
    mask("scores", "masked");
    made.node("Softmax", List.of("masked"), "weights", Attribute.of("axis", 3));
    made.node("MatMul", List.of("weights", "v"), "mixed");
    made.node("Transpose", List.of("mixed"), "tokens", Attribute.ints("perm", 0, 2, 1, 3));
    made.longs("together", 0, 0, WIDTH);
    made.node("Reshape", List.of("tokens", "together"), "joined");
    made.constant("out", WIDTH, WIDTH);
    made.node("MatMul", List.of("joined", "out"), y);
  }

  /** Scores of tokens that are masked become very low, as exports of text models write it. */
  private void mask(String scores, String masked) {
    made.indices("none", new long[] {0});
    made.node("Equal", List.of("mask", "none"), "hide-tokens");
    if (opset >= 13) {
      made.longs("key-axes", 1, 2);
      made.node("Unsqueeze", List.of("hide-tokens", "key-axes"), "hide-keys");
    } else {
      made.node("Unsqueeze", List.of("hide-tokens"), "hide-keys", Attribute.ints("axes", 1, 2));
    }
    made.node("Shape", List.of(scores), "scores-shape");
    made.node("Expand", List.of("hide-keys", "scores-shape"), "hide");
    made.number("low", -20);
    made.node("Where", List.of("hide", "low", scores), masked);
  }

  private void activation(String x, String y) {
    if (operators && opset >= 20) {
      made.node("Gelu", List.of(x), y);
      return;
    }
    made.number("half", 0.5).number("one", 1);
    if (operators) {
      made.number("root-two", Math.sqrt(2));
      made.node("Div", List.of(x, "root-two"), "wide").node("Erf", List.of("wide"), "bent");
    } else {
      made.number("cubic", 0.044715).number("three-power", 3).number("tanh-scale", 0.7978845608);
      made.node("Pow", List.of(x, "three-power"), "cube");
      made.node("Mul", List.of("cube", "cubic"), "small");
      made.node("Add", List.of(x, "small"), "inner");
      made.node("Mul", List.of("inner", "tanh-scale"), "wide")
          .node("Tanh", List.of("wide"), "bent");
    }
    made.node("Add", List.of("bent", "one"), "up-to-two");
    made.node("Mul", List.of(x, "up-to-two"), "twice");
    made.node("Mul", List.of("twice", "half"), y);
  }
}
