package dev.sidefade.backbone;

import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One tuned trunk with inputs, constants and a loss: the product of its final input with a seed.
 */
final class TunedRun implements AutoCloseable {
  final TunedTrunk trunk;
  final Map<String, Tensor> constants = new LinkedHashMap<>();
  private final Arena arena;

  TunedRun(Backbone backbone, Tuning tuning, GradientMemory memory, Arena arena) {
    this(backbone, new TunedTrunkSpec(1, List.of(), tuning, memory), arena);
  }

  TunedRun(Backbone backbone, TunedTrunkSpec spec, Arena arena) {
    this.arena = arena;
    this.trunk = TunedTrunk.open(backbone, spec);
    int stream = 0;
    for (TunableConstant constant : trunk.constants()) {
      Tensor tensor = Golden.zeros(arena, DType.F32, constant.shape().toArray());
      float[] values = new float[Math.toIntExact(tensor.size())];
      for (int i = 0; i < values.length; i++) {
        // far enough from the present values to be told from them, near enough to stay tame
        values[i] = 0.1f * CounterRandom.normal(5, stream, i);
      }
      constant
          .present()
          .ifPresent(present -> {
            float[] before = present.floats();
            for (int i = 0; i < values.length; i++) {
              values[i] += before[i];
            }
          });
      tensor.setFloats(values);
      constants.put(constant.name(), tensor);
      stream++;
    }
  }

  List<Tensor> results(Map<String, Tensor> inputs) {
    long batch = inputs.values().iterator().next().dim(0);
    long sequence = inputs.containsKey("input_ids") ? inputs.get("input_ids").dim(1) : -1;
    List<Tensor> results = new ArrayList<>();
    for (TrunkOutput output : trunk.outputs()) {
      results.add(Golden.zeros(arena, DType.F32, output.shape(batch, sequence)));
    }
    return results;
  }

  List<Tensor> forward(Map<String, Tensor> inputs) {
    List<Tensor> results = results(inputs);
    trunk.forward(inputs, constants, results.getFirst().dim(0), results);
    return results;
  }

  /** A fixed random gradient by the final input. */
  Tensor seed(Tensor last) {
    Tensor seed = Golden.zeros(arena, DType.F32, last.shape().toArray());
    for (long i = 0; i < seed.size(); i++) {
      seed.set(i, CounterRandom.normal(11, 0, i));
    }
    return seed;
  }

  Map<String, Tensor> gradients(Map<String, Tensor> inputs) {
    List<Tensor> results = results(inputs);
    trunk.forwardForGradient(inputs, constants, results.getFirst().dim(0), results);
    Map<String, Tensor> gradients = new LinkedHashMap<>();
    constants.forEach((name, tensor) -> {
      Tensor gradient = Golden.zeros(arena, DType.F32, tensor.shape().toArray());
      // must be overwritten
      gradient.set(0, 1e9f);
      gradients.put(name, gradient);
    });
    trunk.backward(seed(results.get(trunk.finalInput())), gradients);
    return gradients;
  }

  double loss(Map<String, Tensor> inputs) {
    Tensor last = forward(inputs).get(trunk.finalInput());
    float[] values = last.toFloats();
    float[] seed = seed(last).toFloats();
    double loss = 0;
    for (int i = 0; i < values.length; i++) {
      loss += (double) values[i] * seed[i];
    }
    return loss;
  }

  /** Slope of the loss along a direction of one constant, by central differences. */
  double slope(Map<String, Tensor> inputs, String constant, double[] direction, double step) {
    Tensor tensor = constants.get(constant);
    float[] before = tensor.toFloats();
    double[] loss = new double[2];
    for (int side = 0; side < 2; side++) {
      float[] moved = before.clone();
      for (int i = 0; i < moved.length; i++) {
        moved[i] += (float) ((side == 0 ? step : -step) * direction[i]);
      }
      tensor.setFloats(moved);
      loss[side] = loss(inputs);
    }
    tensor.setFloats(before);
    return (loss[0] - loss[1]) / (2 * step);
  }

  static double norm(Tensor tensor) {
    double squares = 0;
    for (float value : tensor.toFloats()) {
      squares += (double) value * value;
    }
    return Math.sqrt(squares);
  }

  @Override
  public void close() {
    trunk.close();
  }
}
