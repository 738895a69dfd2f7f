package dev.sidefade.bench;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.CounterRandom;
import java.util.Arrays;
import java.util.List;

/**
 * A pre-norm ViT of random weights and any depth, in the operators in which the shipped one was
 * exported: 28 x 28 grey images, patches of 7 x 7, 17 tokens of width 128, 4 heads, MLP of four
 * times the width.
 */
final class SyntheticVit {
  static final long SIDE = 28;
  private static final long PATCH = 7;
  private static final long PATCHES = (SIDE / PATCH) * (SIDE / PATCH);
  private static final long TOKENS = PATCHES + 1;
  private static final long WIDTH = 128;
  private static final long HEADS = 4;
  private static final long HIDDEN = 4 * WIDTH;
  private static final long CLASSES = 10;

  private final OnnxModel model = OnnxModel.create(10, 18);
  private final OnnxGraph graph = model.graph();
  private int tensors;

  private SyntheticVit() {}

  /** A model of {@code depth} blocks from "image", [batch, 1, 28, 28], to "logits". */
  static OnnxModel ofDepth(int depth) {
    SyntheticVit made = new SyntheticVit();
    made.graph.addInput("image", ElementType.FLOAT, "batch", 1L, SIDE, SIDE);
    made.graph.addOutput("logits", ElementType.FLOAT, "batch", CLASSES);
    made.constants();
    made.embed();
    String stream = "embed";
    for (int block = 0; block < depth; block++) {
      stream = made.block("block." + block, stream);
    }
    made.norm(stream, "norm");
    made.add("Gather", "class", List.of("norm", "first"), Attribute.of("axis", 1));
    made.random("head.weight", CLASSES, WIDTH);
    made.random("head.bias", CLASSES);
    made.add(
        "Gemm", "logits", List.of("class", "head.weight", "head.bias"), Attribute.of("transB", 1));
    return made.model;
  }

  private void constants() {
    longs("patches", -1, WIDTH, PATCHES);
    longs("apart", -1, TOKENS, 3, HEADS, WIDTH / HEADS);
    longs("together", -1, TOKENS, WIDTH);
    for (int i = 0; i <= 3; i++) {
      longs("at." + i, i);
    }
    graph.addInitializer(Initializer.longs("first", new long[] {0}));
    number("root.two", Math.sqrt(2));
    number("one", 1);
    number("half", 0.5);
    number("scale", 1 / Math.sqrt(WIDTH / (double) HEADS));
  }

  private void embed() {
    random("patch.weight", WIDTH, 1, PATCH, PATCH);
    random("patch.bias", WIDTH);
    random("class.token", 1, 1, WIDTH);
    random("positions", 1, TOKENS, WIDTH);
    add(
        "Conv",
        "convolved",
        List.of("image", "patch.weight", "patch.bias"),
        Attribute.ints("kernel_shape", PATCH, PATCH),
        Attribute.ints("strides", PATCH, PATCH));
    add("Reshape", "rows", List.of("convolved", "patches"));
    add("Transpose", "tokens", List.of("rows"), Attribute.ints("perm", 0, 2, 1));
    add("Shape", "batch", List.of("image"), Attribute.of("start", 0), Attribute.of("end", 1));
    add("Concat", "class.shape", List.of("batch", "at.1", "at.1"), Attribute.of("axis", 0));
    add("Expand", "class.tokens", List.of("class.token", "class.shape"));
    add("Concat", "all", List.of("class.tokens", "tokens"), Attribute.of("axis", 1));
    add("Add", "embed", List.of("all", "positions"));
  }

  /** Returns the name of the residual stream behind the block. */
  private String block(String name, String stream) {
    norm(stream, name + ".norm1");
    attention(name + ".attention", name + ".norm1");
    add("Add", name + ".attended", List.of(stream, name + ".attention"));
    norm(name + ".attended", name + ".norm2");
    linear(name + ".up", name + ".norm2", WIDTH, HIDDEN);
    gelu(name + ".gelu", name + ".up");
    linear(name + ".down", name + ".gelu", HIDDEN, WIDTH);
    add("Add", name + ".output", List.of(name + ".attended", name + ".down"));
    return name + ".output";
  }

  private void attention(String name, String x) {
    linear(name + ".qkv", x, WIDTH, 3 * WIDTH);
    add("Reshape", name + ".apart", List.of(name + ".qkv", "apart"));
    add(
        "Transpose",
        name + ".three",
        List.of(name + ".apart"),
        Attribute.ints("perm", 2, 0, 3, 1, 4));
    for (int i = 0; i < 3; i++) {
      List<String> range = List.of(name + ".three", "at." + i, "at." + (i + 1), "at.0");
      add("Slice", name + ".slice." + i, range);
      add("Squeeze", name + "." + i, List.of(name + ".slice." + i, "at.0"));
    }
    add("Mul", name + ".queries", List.of(name + ".0", "scale"));
    add("Transpose", name + ".keys", List.of(name + ".1"), Attribute.ints("perm", 0, 1, 3, 2));
    add("MatMul", name + ".scores", List.of(name + ".queries", name + ".keys"));
    add("Softmax", name + ".weights", List.of(name + ".scores"), Attribute.of("axis", -1));
    add("MatMul", name + ".mixed", List.of(name + ".weights", name + ".2"));
    add("Transpose", name + ".rows", List.of(name + ".mixed"), Attribute.ints("perm", 0, 2, 1, 3));
    add("Reshape", name + ".joined", List.of(name + ".rows", "together"));
    linear(name, name + ".joined", WIDTH, WIDTH);
  }

  private void gelu(String name, String x) {
    add("Div", name + ".wide", List.of(x, "root.two"));
    add("Erf", name + ".erf", List.of(name + ".wide"));
    add("Add", name + ".sum", List.of(name + ".erf", "one"));
    add("Mul", name + ".part", List.of("half", name + ".sum"));
    add("Mul", name, List.of(x, name + ".part"));
  }

  private void norm(String x, String name) {
    graph.addInitializer(Initializer.floats(name + ".scale", ones(WIDTH), WIDTH));
    random(name + ".shift", WIDTH);
    add(
        "LayerNormalization",
        name,
        List.of(x, name + ".scale", name + ".shift"),
        Attribute.of("axis", -1),
        Attribute.of("epsilon", 1e-6f));
  }

  private void linear(String name, String x, long in, long out) {
    random(name + ".weight", in, out);
    random(name + ".bias", out);
    add("MatMul", name + ".product", List.of(x, name + ".weight"));
    add("Add", name, List.of(name + ".product", name + ".bias"));
  }

  private void add(String operator, String output, List<String> inputs, Attribute... attributes) {
    // exporters do not name nodes like values
    graph.addNode(operator, inputs, List.of(output), attributes).setName("node." + output);
  }

  /** Normal numbers of deviation 0.02, different for each tensor. */
  private void random(String name, long... dims) {
    long size = 1;
    for (long dim : dims) {
      size = Math.multiplyExact(size, dim);
    }
    float[] values = new float[Math.toIntExact(size)];
    for (int i = 0; i < values.length; i++) {
      values[i] = 0.02f * CounterRandom.normal(1, tensors, i);
    }
    tensors++;
    graph.addInitializer(Initializer.floats(name, values, dims));
  }

  private static float[] ones(long count) {
    float[] values = new float[Math.toIntExact(count)];
    Arrays.fill(values, 1);
    return values;
  }

  private void longs(String name, long... values) {
    graph.addInitializer(Initializer.longs(name, values, values.length));
  }

  private void number(String name, double value) {
    graph.addInitializer(Initializer.floats(name, new float[] {(float) value}));
  }
}
