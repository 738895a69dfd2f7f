package dev.sidefade.backbone;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Computes stretches of the backbone again, from the last one to the first: one for each block over
 * the whole batch, or one for all over a few rows after the other.
 */
final class StretchPass implements GradientPass {
  private final OnnxModel forward;
  private final Set<String> kept;
  private final long rowsAtOnce;

  /** From the last to the first. */
  private final List<StretchSession> sessions;

  private long keptBytes;

  private StretchPass(
      OnnxModel forward, Set<String> kept, long rowsAtOnce, List<StretchSession> sessions) {
    this.forward = forward;
    this.kept = kept;
    this.rowsAtOnce = rowsAtOnce;
    this.sessions = sessions;
  }

  /** The taps are kept, and each block is computed again. */
  static StretchPass blockByBlock(TunedGraph tuned, GradientSessions sessions) {
    List<Stretch> stretches = new ArrayList<>();
    Set<String> left = names(tuned);
    int block = tuned.structure().blocks();
    String to = tuned.finalValue();
    while (!left.isEmpty()) {
      Optional<String> from = block > 0 ? Optional.of(tuned.tapRoot(block - 1)) : Optional.empty();
      Stretch stretch = Stretch.between(tuned, from, to);
      if (!stretch.standsAlone() || !left.containsAll(stretch.constants())) {
        throw new BadInputException(
            "block "
                + block
                + " of the backbone needs more of the blocks before it than tap "
                + (block - 1)
                + ", so the taps are not enough for its gradients; keep everything or compute"
                + " micro-batches instead");
      }
      left.removeAll(stretch.constants());
      stretches.add(stretch);
      to = from.orElse(to);
      block--;
    }
    return open(tuned, stretches, Long.MAX_VALUE, sessions);
  }

  /**
   * Nothing is kept; parts of the batch are computed again from the tap in front of the first tuned
   * block if that comes out anyway, else from the model's inputs.
   */
  static StretchPass microBatches(TunedGraph tuned, long rows, GradientSessions sessions) {
    int first = tuned.constants().stream().mapToInt(TunableConstant::block).min().orElseThrow();
    if (first > 0) {
      String tap = tuned.tapRoot(first - 1);
      Stretch cut = Stretch.between(tuned, Optional.of(tap), tuned.finalValue());
      boolean comesOut = tuned.outputs().stream().anyMatch(output -> output.value().equals(tap));
      // sizes that are carried over would be those of the whole batch
      boolean fits = cut.standsAlone() && cut.sizes().isEmpty();
      if (comesOut && fits && cut.constants().equals(names(tuned))) {
        return open(tuned, List.of(cut), rows, sessions);
      }
    }
    Stretch all = Stretch.between(tuned, Optional.empty(), tuned.finalValue());
    return open(tuned, List.of(all), rows, sessions);
  }

  private static Set<String> names(TunedGraph tuned) {
    Set<String> names = new HashSet<>();
    tuned.constants().forEach(constant -> names.add(constant.name()));
    return names;
  }

  private static StretchPass open(
      TunedGraph tuned, List<Stretch> stretches, long rows, GradientSessions opening) {
    Set<String> kept = new LinkedHashSet<>();
    List<StretchSession> sessions = new ArrayList<>();
    try {
      for (Stretch stretch : stretches) {
        boolean passesOn = !stretch.equals(stretches.getLast());
        boolean oneOfMany = stretches.size() > 1;
        sessions.add(StretchSession.open(tuned, stretch, passesOn, oneOfMany, opening));
        stretch.from().ifPresent(kept::add);
        kept.addAll(stretch.sizes());
      }
    } catch (RuntimeException e) {
      sessions.forEach(StretchSession::close);
      throw e;
    }
    OnnxModel forward = tuned.model().copy();
    GraphEdit.exposeOutputs(forward, List.copyOf(kept));
    tuned.outputs().forEach(output -> kept.remove(output.value()));
    return new StretchPass(forward, kept, rows, sessions);
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
    long part = Math.min(rowsAtOnce, run.batch());
    long largest = part(run, 0, part, dFinal, gradients);
    if (part < run.batch()) {
      try (Arena arena = Arena.ofConfined()) {
        Map<String, Tensor> scratch = scratch(arena, gradients);
        for (long from = part; from < run.batch(); from += part) {
          long to = Math.min(from + part, run.batch());
          part(run, from, to, dFinal, scratch);
          gradients.forEach((name, sum) -> add(Objects.requireNonNull(scratch.get(name)), sum));
        }
      }
    }
    keptBytes = Math.max(keptBytes, bytesOfTaps(run) + largest);
  }

  /** Computes some rows; returns the bytes that the largest stretch kept. */
  private long part(
      ForwardRun run, long from, long to, Tensor dFinal, Map<String, Tensor> gradients)
      throws OrtException {
    long largest = 0;
    StretchSession.Run later = null;
    try (NativeTensors natives = new NativeTensors()) {
      @Nullable OnnxTensor seed = natives.over("the gradient", ForwardRun.part(dFinal, from, to));
      for (StretchSession session : sessions) {
        Map<String, OnnxTensor> values = new LinkedHashMap<>();
        for (String input : session.inputs()) {
          values.put(input, run.handle(natives, input, from, to));
        }
        Map<String, OnnxTensor> pinned = new LinkedHashMap<>();
        for (String constant : session.stretch().constants()) {
          pinned.put(
              constant, natives.over(constant, Objects.requireNonNull(gradients.get(constant))));
        }
        StretchSession.Run done = session.run(values, seed, pinned);
        if (later != null) {
          later.close();
        }
        later = done;
        seed = done.gradient().orElse(null);
        largest = Math.max(largest, Math.multiplyExact(done.elements(), DType.F32.bytes()));
      }
    } finally {
      if (later != null) {
        later.close();
      }
    }
    return largest;
  }

  private static Map<String, Tensor> scratch(Arena arena, Map<String, Tensor> like) {
    Map<String, Tensor> scratch = new LinkedHashMap<>();
    like.forEach((name, tensor) ->
        scratch.put(
            name,
            Tensor.wrap(
                arena.allocate(tensor.bytes(), Long.BYTES), tensor.shape(), tensor.dtype())));
    return scratch;
  }

  private static void add(Tensor part, Tensor sum) {
    float[] values = part.toFloats();
    float[] total = sum.toFloats();
    for (int i = 0; i < values.length; i++) {
      total[i] += values[i];
    }
    sum.setFloats(total);
  }

  private long bytesOfTaps(ForwardRun run) {
    Set<String> values = new HashSet<>(kept);
    sessions.forEach(session -> session.stretch().from().ifPresent(values::add));
    long bytes = 0;
    for (String value : values) {
      Tensor tensor = run.rows().get(value);
      bytes += tensor != null ? tensor.bytes() : Sessions.bytes(run.keptValue(value).orElseThrow());
    }
    return bytes;
  }

  @Override
  public long keptBytes() {
    return keptBytes;
  }

  @Override
  public void close() {
    sessions.forEach(StretchSession::close);
  }
}
