package dev.sidefade.export;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.LinearFinder;
import dev.sidefade.backbone.LinearLayer;
import dev.sidefade.backbone.Norm;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/** Made-up changes of constants inside a backbone, and a graph that spells them out. */
final class TunedInside {
  private TunedInside() {}

  static List<LinearLayer> layers(Backbone backbone) {
    return LinearFinder.find(backbone.model(), backbone.structure());
  }

  /** Every norm but those of the tail, every bias, and every weight by a rank; 0 for none. */
  static TunedModel of(Backbone backbone, TunedTail tail, int rank, long seed) {
    Random random = new Random(seed);
    Map<String, float[]> constants = new TreeMap<>();
    String last = backbone.structure().finalNorm().map(Norm::scaleInput).orElse("");
    for (Norm norm : backbone.structure().norms()) {
      if (!norm.scaleInput().equals(last) || tail.normScale().isEmpty()) {
        constants.put(norm.scaleInput(), jittered(backbone.constant(norm.scale()), random));
        norm.bias()
            .ifPresent(
                bias -> constants.put(norm.biasInput(), jittered(backbone.constant(bias), random)));
      }
    }
    Map<String, LowRank> lowRank = new TreeMap<>();
    for (LinearLayer layer : layers(backbone)) {
      layer
          .bias()
          .ifPresent(
              bias -> constants.put(layer.biasName(), jittered(backbone.constant(bias), random)));
      int in = (int) layer.in();
      int out = (int) layer.out();
      int columns = Math.min(rank, Math.min(in, out));
      if (columns > 0) {
        float[] a = jittered(new float[in * columns], random);
        float[] b = jittered(new float[columns * out], random);
        lowRank.put(TunedModel.linear(layer.position()), new LowRank(a, b, columns, in, out));
      }
    }
    return new TunedModel(tail, constants, lowRank);
  }

  static float[] jittered(float[] values, Random random) {
    float[] changed = values.clone();
    for (int i = 0; i < changed.length; i++) {
      changed[i] += 0.1f * (float) random.nextGaussian();
    }
    return changed;
  }

  /** A backbone's graph with x W + (x A) B for each low-rank change, and other constants. */
  static OnnxModel byHand(Backbone backbone, TunedModel tuned) {
    OnnxModel model = backbone.model().copy();
    OnnxGraph graph = model.graph();
    for (Norm norm : backbone.structure().norms()) {
      OnnxNode last = graph.producerOf(norm.output()).orElseThrow();
      boolean operator = norm.form() == Norm.Form.OPERATOR;
      float[] scale = tuned.constants().get(norm.scaleInput());
      float[] bias = tuned.constants().get(norm.biasInput());
      int biasIndex = operator ? 2 : index(graph, last, norm.bias().orElseThrow());
      OnnxNode scaling =
          operator
              ? last
              : graph
                  .producerOf(GraphEdit.resolveIdentity(graph, last.input(1 - biasIndex)))
                  .orElseThrow();
      put(graph, last, biasIndex, Optional.ofNullable(bias));
      int scaleIndex = operator ? 1 : index(graph, scaling, norm.scale());
      put(graph, scaling, scaleIndex, Optional.ofNullable(scale));
    }
    layers(backbone).forEach(layer -> change(graph, layer, tuned));
    return model;
  }

  private static void change(OnnxGraph graph, LinearLayer layer, TunedModel tuned) {
    OnnxNode product = graph.producerOf(layer.output()).orElseThrow();
    float[] bias = tuned.constants().get(layer.biasName());
    if (bias != null) {
      boolean gemm = product.is("Gemm");
      OnnxNode user = gemm ? product : graph.usersOf(layer.output()).getFirst();
      int at = gemm ? 2 : index(graph, user, layer.bias().orElseThrow());
      put(graph, user, at, Optional.of(bias));
    }
    LowRank change = tuned.lowRank().get(TunedModel.linear(layer.position()));
    if (change == null) {
      return;
    }
    String name = "by_hand." + layer.position();
    graph.addInitializer(Initializer.floats(name + ".a", change.a(), change.in(), change.rank()));
    graph.addInitializer(Initializer.floats(name + ".b", change.b(), change.rank(), change.out()));
    product.outputs().set(0, name + ".base");
    List<OnnxNode> added =
        List.of(
            node("MatMul", List.of(product.input(0), name + ".a"), name + ".narrow"),
            node("MatMul", List.of(name + ".narrow", name + ".b"), name + ".wide"),
            node("Add", List.of(name + ".base", name + ".wide"), layer.output()));
    graph.nodes().addAll(graph.nodes().indexOf(product) + 1, added);
  }

  private static OnnxNode node(String type, List<String> inputs, String output) {
    return new OnnxNode(output, type, inputs, List.of(output));
  }

  private static int index(OnnxGraph graph, OnnxNode node, String constant) {
    return GraphEdit.resolveIdentity(graph, node.input(0)).equals(constant) ? 0 : 1;
  }

  private static void put(OnnxGraph graph, OnnxNode node, int index, Optional<float[]> values) {
    if (values.isPresent()) {
      String own = graph.uniqueName("by_hand." + node.input(index));
      graph.addInitializer(Initializer.floats(own, values.get(), values.get().length));
      node.inputs().set(index, own);
    }
  }
}
