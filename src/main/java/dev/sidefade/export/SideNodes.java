package dev.sidefade.export;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.side.BlockKind;
import dev.sidefade.side.SideConfig;
import java.util.List;
import java.util.Optional;

/**
 * Writes the side network's equations as nodes over taps [batch, tokens, width]. Constant factors
 * go into the weights that they multiply, as a careful exporter would write them: the gates into
 * the ladder, the attention's scale into the queries.
 */
final class SideNodes {
  private final NodeBuilder nodes;
  private final Backbone backbone;
  private final SideConfig config;
  private final Parameters parameters;
  private Optional<String> attentionMask = Optional.empty();

  SideNodes(OnnxModel model, Backbone backbone, SideConfig config, Parameters parameters) {
    this.nodes = new NodeBuilder(model, "sidefade.side.");
    this.backbone = backbone;
    this.config = config;
    this.parameters = parameters;
  }

  /** Appends everything from the taps to the logits, which become the output. */
  void build(List<String> taps, String logits) {
    if (config.kind() == BlockKind.TRANSFORMER) {
      attentionMask = TokenPooling.maskInput(backbone.structure()).map(this::additiveMask);
    }
    String state = project(taps.getFirst(), 0, 1);
    float[] gates = values("gates");
    for (int l = 1; l <= config.blocks(); l++) {
      state = block(l, mixed(state, taps.get(l), l, coefficient(gates[l - 1])));
    }
    String normalised = norm("norm", state);
    String pooled = TokenPooling.build(nodes, backbone, config.pooling(), normalised);
    new Logits(logits, config.pooling(), config.classes())
        .append(nodes, pooled, parameter("head.weight"), parameter("head.bias"));
  }

  /** 1 - sigmoid(gate / tau): both mask placements agree where nothing is masked. */
  private float coefficient(float gate) {
    return 1 - (float) (1 / (1 + Math.exp(-gate / config.tau())));
  }

  /** X = Z + c (U - Z), as U c + Z (1 - c). */
  private String mixed(String state, String tap, int l, float c) {
    String projected = project(tap, l, c);
    String kept = nodes.multiply("ladder." + l + ".kept", state, nodes.number(1 - c));
    return nodes.add("ladder." + l + ".mixed", projected, kept);
  }

  /** (H W + b) factor. */
  private String project(String tap, int l, float factor) {
    String label = "ladder." + l;
    Parameter weight = parameters.get(label + ".weight");
    Parameter bias = parameters.get(label + ".bias");
    long width = config.width();
    String w =
        nodes.floats(label + ".weight", scaled(weight, factor, width), weight.shape().toArray());
    String b = nodes.floats(label + ".bias", scaled(bias, factor, width), width);
    return nodes.linear(label, tap, w, b);
  }

  private String block(int l, String x) {
    String prefix = "blocks." + l + ".";
    return switch (config.kind()) {
      case ADAPTER -> mlp(prefix, "norm", x);
      case TRANSFORMER -> mlp(prefix, "norm2", attention(prefix, x));
    };
  }

  /** x + gelu(norm(x) W1 + b1) W2 + b2. */
  private String mlp(String prefix, String norm, String x) {
    String normalised = norm(prefix + norm, x);
    String hidden = nodes.gelu(prefix + "gelu", linear(prefix + "fc1", normalised));
    return nodes.add(prefix + "sum2", x, linear(prefix + "fc2", hidden));
  }

  /** x + attention(norm(x) Wqkv) Wproj. */
  private String attention(String prefix, String x) {
    long width = config.width();
    String label = prefix + "qkv";
    float scale = (float) (1 / Math.sqrt((double) width / config.heads()));
    Parameter weight = parameters.get(label + ".weight");
    Parameter bias = parameters.get(label + ".bias");
    String w = nodes.floats(label + ".weight", scaled(weight, scale, 3 * width), width, 3 * width);
    String b = nodes.floats(label + ".bias", scaled(bias, scale, 3 * width), 3 * width);
    String qkv = nodes.linear(label, norm(prefix + "norm1", x), w, b);
    List<String> parts = nodes.split(label + ".part", qkv, width, width, width);
    String queries = heads(prefix + "queries", parts.get(0), 0, 2, 1, 3);
    String keys = heads(prefix + "keys", parts.get(1), 0, 2, 3, 1);
    String values = heads(prefix + "values", parts.get(2), 0, 2, 1, 3);
    String scores = nodes.node("MatMul", prefix + "scores", List.of(queries, keys));
    if (attentionMask.isPresent()) {
      scores = nodes.add(prefix + "masked", scores, attentionMask.get());
    }
    String weights = nodes.softmax(prefix + "weights", scores);
    String perHead = nodes.node("MatMul", prefix + "attended", List.of(weights, values));
    String perToken = nodes.transpose(prefix + "per_token", perHead, 0, 2, 1, 3);
    String joined = nodes.reshape(prefix + "joined", perToken, 0, 0, width);
    return nodes.add(prefix + "sum1", x, linear(prefix + "proj", joined));
  }

  /** [batch, tokens, D] to [batch, tokens, heads, D / heads], then in the given order. */
  private String heads(String label, String x, long... order) {
    long heads = config.heads();
    String split = nodes.reshape(label + ".heads", x, 0, 0, heads, config.width() / heads);
    return nodes.transpose(label, split, order);
  }

  /** [batch, 1, 1, tokens]: 0 for tokens, so low a number for padding that nobody attends to it. */
  private String additiveMask(String input) {
    String valid = TokenPooling.floatMask(nodes, input);
    String perHead = nodes.unsqueeze("mask.head", valid, 1);
    String perQuery = nodes.unsqueeze("mask.query", perHead, 1);
    String padding = nodes.node("Sub", "mask.padding", List.of(nodes.number(1), perQuery));
    return nodes.multiply("mask", padding, nodes.number(-1e9f));
  }

  private String norm(String label, String x) {
    String gamma = parameter(label + ".gamma");
    String beta = parameter(label + ".beta");
    return nodes.layerNorm(label, x, gamma, beta, config.epsilon());
  }

  private String linear(String label, String x) {
    return nodes.linear(label, x, parameter(label + ".weight"), parameter(label + ".bias"));
  }

  private String parameter(String name) {
    Parameter parameter = parameters.get(name);
    return nodes.floats(name, parameter.value().toFloats(), parameter.shape().toArray());
  }

  private float[] values(String name) {
    return parameters.get(name).value().toFloats();
  }

  /**
   * The values with the first {@code D} of every {@code rowLength} multiplied by a factor, D being
   * the side width.
   */
  private float[] scaled(Parameter parameter, float factor, long rowLength) {
    float[] values = parameter.value().toFloats();
    for (int i = 0; i < values.length; i++) {
      if (i % rowLength < config.width()) {
        values[i] *= factor;
      }
    }
    return values;
  }
}
