package dev.sidefade.backbone;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.gradient.GradientGraph;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Computes a stretch of a backbone again and the gradients of its constants and of where it begins.
 */
final class StretchSession implements AutoCloseable {
  private final Stretch stretch;
  private final OrtSession session;
  private final Set<String> inputs;
  private final Set<String> requested;
  private final List<String> counts;

  private StretchSession(
      Stretch stretch,
      OrtSession session,
      Set<String> inputs,
      Set<String> requested,
      List<String> counts) {
    this.stretch = stretch;
    this.session = session;
    this.inputs = inputs;
    this.requested = requested;
    this.counts = counts;
  }

  /**
   * Opens a session.
   *
   * @param passesOn whether the gradient of where the stretch begins is wanted
   * @param oneOfMany whether other stretches run before or after it
   */
  static StretchSession open(
      TunedGraph tuned,
      Stretch stretch,
      boolean passesOn,
      boolean oneOfMany,
      GradientSessions sessions) {
    OnnxModel forward = stretch.cut(tuned);
    List<String> by = new ArrayList<>(stretch.constants());
    if (passesOn) {
      by.add(stretch.from().orElseThrow());
    }
    GradientGraph gradients = GradientGraph.of(forward, tuned.shapes(), by, List.of(stretch.to()));
    OnnxModel joint = gradients.joint();
    OnnxGraph graph = joint.graph();
    List<String> counts = new ArrayList<>();
    for (String saved : gradients.saved()) {
      String count = graph.uniqueName("sidefade.count");
      graph.addNode("Size", List.of(saved), List.of(count));
      counts.add(count);
    }
    List<String> wanted = new ArrayList<>(by.stream().map(GradientGraph::gradient).toList());
    wanted.addAll(counts);
    graph.outputs().clear();
    GraphEdit.exposeOutputs(joint, wanted);
    GraphEdit.removeDeadNodes(graph);
    OrtSession session = oneOfMany ? sessions.openOneOfMany(joint) : sessions.open(joint);
    Set<String> requested = new LinkedHashSet<>(counts);
    if (passesOn) {
      requested.add(GradientGraph.gradient(stretch.from().orElseThrow()));
    }
    return new StretchSession(stretch, session, session.getInputNames(), requested, counts);
  }

  Stretch stretch() {
    return stretch;
  }

  /** Names of what must be fed besides the gradient of where the stretch ends. */
  Set<String> inputs() {
    Set<String> names = new LinkedHashSet<>(inputs);
    names.remove(GradientGraph.seed(stretch.to()));
    return names;
  }

  /**
   * What came out of a run.
   *
   * @param gradient by where the stretch begins; empty if that was not wanted
   * @param elements number of elements that the run kept between its forward and its backward half
   */
  record Run(OrtSession.Result result, Optional<OnnxTensor> gradient, long elements)
      implements AutoCloseable {
    @Override
    public void close() {
      result.close();
    }
  }

  /**
   * Computes the gradients.
   *
   * @param values everything of {@link #inputs}
   * @param seed gradient by where the stretch ends
   * @param gradients of the constants, under their names: written
   */
  Run run(
      Map<String, OnnxTensor> values, @Nullable OnnxTensor seed, Map<String, OnnxTensor> gradients)
      throws OrtException {
    Map<String, OnnxTensor> fed = new LinkedHashMap<>();
    String seedName = GradientGraph.seed(stretch.to());
    for (String input : inputs) {
      fed.put(input, input.equals(seedName) ? seed : values.get(input));
    }
    Map<String, OnnxTensor> pinned = new LinkedHashMap<>();
    for (String constant : stretch.constants()) {
      pinned.put(GradientGraph.gradient(constant), gradients.get(constant));
    }
    OrtSession.Result result = session.run(fed, requested, pinned);
    long elements = 0;
    for (String count : counts) {
      elements += ((OnnxTensor) result.get(count).orElseThrow()).getLongBuffer().get(0);
    }
    Optional<OnnxTensor> gradient =
        stretch
            .from()
            .flatMap(value -> result.get(GradientGraph.gradient(value)))
            .map(OnnxTensor.class::cast);
    return new Run(result, gradient, elements);
  }

  @Override
  public void close() {
    Sessions.close(session);
  }
}
