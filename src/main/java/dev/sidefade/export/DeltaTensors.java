package dev.sidefade.export;

import dev.sidefade.kernels.Pooling;
import dev.sidefade.tensor.BadInputException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What was tuned, as the tensors of a delta. */
final class DeltaTensors {
  private static final String SCALE = "norm.scale";
  private static final String SHIFT = "norm.shift";
  private static final String WEIGHT = "head.weight";
  private static final String BIAS = "head.bias";
  private static final Set<String> TAIL = Set.of(SCALE, SHIFT, WEIGHT, BIAS);
  private static final String A = LowRank.A;
  private static final String B = LowRank.B;

  private final Path delta;
  private final Map<String, Safetensors.Entry> tensors;

  private DeltaTensors(Path delta, Map<String, Safetensors.Entry> tensors) {
    this.delta = delta;
    this.tensors = tensors;
  }

  /** The tensors by name. */
  static Map<String, Safetensors.Entry> of(TunedModel tuned) {
    Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
    TunedTail tail = tuned.tail();
    tail.normScale().ifPresent(scale -> tensors.put(SCALE, vector(scale)));
    tail.normShift().ifPresent(shift -> tensors.put(SHIFT, vector(shift)));
    long rows = tail.headWeight().length / tail.classes();
    tensors.put(WEIGHT, new Safetensors.Entry(tail.headWeight(), rows, tail.classes()));
    tensors.put(BIAS, vector(tail.headBias()));
    tuned.constants().forEach((name, values) -> tensors.put(name, vector(values)));
    tuned
        .lowRank()
        .forEach((name, change) -> {
          tensors.put(name + A, new Safetensors.Entry(change.a(), change.in(), change.rank()));
          tensors.put(name + B, new Safetensors.Entry(change.b(), change.rank(), change.out()));
        });
    return tensors;
  }

  /**
   * Reads what {@link #of} gave.
   *
   * @param delta to be named in complaints
   * @param tailOnly whether there may be nothing but the end
   * @throws BadInputException if a tensor is missing, unknown, or of the wrong shape
   */
  static TunedModel read(
      Path delta, Map<String, Safetensors.Entry> tensors, Pooling pooling, boolean tailOnly) {
    DeltaTensors reader = new DeltaTensors(delta, tensors);
    TunedTail tail = reader.tail(pooling);
    Map<String, float[]> constants = new TreeMap<>();
    Map<String, LowRank> lowRank = new TreeMap<>();
    for (String name : tensors.keySet()) {
      if (TAIL.contains(name)) {
        continue;
      }
      String layer = name.substring(0, Math.max(0, name.length() - A.length()));
      boolean factor = name.endsWith(A) || name.endsWith(B);
      if (!tailOnly && TunedModel.isConstant(name)) {
        constants.put(name, reader.values(name, 1));
      } else if (!tailOnly && factor && TunedModel.isLinear(layer)) {
        lowRank.computeIfAbsent(layer, reader::lowRank);
      } else {
        throw new BadInputException(
            delta + " has a tensor " + name + " that no delta has; use the one that adapt wrote");
      }
    }
    return new TunedModel(tail, constants, lowRank);
  }

  private TunedTail tail(Pooling pooling) {
    float[] weight = values(WEIGHT, 2);
    float[] bias = values(BIAS, 1);
    refuse(entry(WEIGHT, 2).dims()[1] != bias.length, WEIGHT, BIAS);
    boolean norm = tensors.containsKey(SCALE) || tensors.containsKey(SHIFT);
    return new TunedTail(
        pooling,
        norm ? Optional.of(values(SCALE, 1)) : Optional.empty(),
        norm ? Optional.of(values(SHIFT, 1)) : Optional.empty(),
        weight,
        bias,
        bias.length);
  }

  private LowRank lowRank(String layer) {
    Safetensors.Entry a = entry(layer + A, 2);
    Safetensors.Entry b = entry(layer + B, 2);
    refuse(a.dims()[1] != b.dims()[0], layer + A, layer + B);
    return new LowRank(
        a.values(),
        b.values(),
        size(layer + A, a.dims()[1]),
        size(layer + A, a.dims()[0]),
        size(layer + B, b.dims()[1]));
  }

  private void refuse(boolean bad, String one, String other) {
    if (bad) {
      throw new BadInputException(
          "tensors "
              + one
              + " and "
              + other
              + " of "
              + delta
              + " do not fit each other; use the one that adapt wrote");
    }
  }

  private int size(String name, long size) {
    if (size > Integer.MAX_VALUE) {
      throw new BadInputException(
          "tensor " + name + " of " + delta + " is too large; use the one that adapt wrote");
    }
    return (int) size;
  }

  private float[] values(String name, int rank) {
    return entry(name, rank).values();
  }

  private Safetensors.Entry entry(String name, int rank) {
    Safetensors.Entry entry = tensors.get(name);
    if (entry == null || entry.dims().length != rank) {
      throw new BadInputException(
          delta
              + " has no tensor "
              + name
              + " of "
              + rank
              + (rank == 1 ? " dimension" : " dimensions")
              + "; use the one that adapt wrote");
    }
    return entry;
  }

  private static Safetensors.Entry vector(float[] values) {
    return new Safetensors.Entry(values, values.length);
  }
}
