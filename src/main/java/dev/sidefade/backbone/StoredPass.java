package dev.sidefade.backbone;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.gradient.GradientGraph;
import dev.sidefade.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Two graphs: the forward one returns what the backward one needs. */
final class StoredPass implements GradientPass {
  private final OnnxModel forward;
  private final Set<String> kept;
  private final OrtSession backward;
  private final Set<String> inputs;
  private final String seed;
  private long keptBytes;

  private StoredPass(OnnxModel forward, Set<String> kept, OrtSession backward, String seed) {
    this.forward = forward;
    this.kept = kept;
    this.backward = backward;
    this.inputs = backward.getInputNames();
    this.seed = seed;
  }

  static StoredPass open(TunedGraph tuned, GradientSessions sessions) {
    List<String> by = tuned.constants().stream().map(TunableConstant::name).toList();
    GradientGraph gradients =
        GradientGraph.of(tuned.model(), tuned.shapes(), by, List.of(tuned.finalValue()));
    Set<String> kept = new LinkedHashSet<>(gradients.saved());
    tuned.outputs().forEach(output -> kept.remove(output.value()));
    OrtSession backward = sessions.open(gradients.backward());
    return new StoredPass(
        gradients.forward(), kept, backward, GradientGraph.seed(tuned.finalValue()));
  }

  @Override
  public OnnxModel forward() {
    return forward;
  }

  @Override
  public Set<String> kept() {
    return kept;
  }

  @Override
  public void run(ForwardRun run, Tensor dFinal, Map<String, Tensor> gradients)
      throws OrtException {
    try (NativeTensors natives = new NativeTensors()) {
      Map<String, OnnxTensor> fed = new LinkedHashMap<>();
      long bytes = 0;
      for (String input : inputs) {
        OnnxTensor tensor =
            input.equals(seed)
                ? natives.over(input, dFinal)
                : run.handle(natives, input, 0, run.batch());
        fed.put(input, tensor);
        boolean activation = !input.equals(seed) && !run.constants().containsKey(input);
        bytes += activation ? Sessions.bytes(tensor) : 0;
      }
      keptBytes = Math.max(keptBytes, bytes);
      Map<String, OnnxTensor> pinned = new LinkedHashMap<>();
      for (Map.Entry<String, Tensor> gradient : gradients.entrySet()) {
        String name = GradientGraph.gradient(gradient.getKey());
        pinned.put(name, natives.over(name, gradient.getValue()));
      }
      backward.run(fed, Set.of(), pinned).close();
    }
  }

  @Override
  public long keptBytes() {
    return keptBytes;
  }

  @Override
  public void close() {
    Sessions.close(backward);
  }
}
