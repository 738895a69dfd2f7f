package dev.sidefade.train;

import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.backbone.TunableConstant;
import dev.sidefade.backbone.TunedTrunk;
import dev.sidefade.layers.Initializer;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import dev.sidefade.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The constants inside the backbone that learn: parameters of the tail, fed to the backbone with
 * every run, with gradients from its gradient graph.
 */
public final class InnerConstants {
  private final TunedTrunk trunk;
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final HostMirror host = new HostMirror();

  /**
   * The trunk stays open as long as this is used; it is closed by its owner.
   *
   * @param trunk whose constants learn
   */
  public InnerConstants(TunedTrunk trunk) {
    this.trunk = trunk;
  }

  /**
   * Declares one parameter for each constant, under its name.
   *
   * @param set where they are declared
   */
  public void declare(Parameters set) {
    for (TunableConstant constant : trunk.constants()) {
      parameters.put(constant.name(), declare(set, constant));
    }
  }

  private static Parameter declare(Parameters set, TunableConstant c) {
    long[] dims = c.shape().toArray();
    return switch (c.kind()) {
      case NORM_SCALE, NORM_SHIFT ->
          set.add(c.name(), Parameter.Role.NORM, false, present(c), dims);
      case BIAS -> set.add(c.name(), Parameter.Role.BIAS, false, present(c), dims);
      // A normal with variance 1 / in, B zero: the delta is zero at the start (method.md)
      case LOW_RANK_IN ->
          set.add(
              c.name(),
              Parameter.Role.LOW_RANK,
              true,
              Initializer.normal(1 / Math.sqrt(dims[0])),
              dims);
      case LOW_RANK_OUT ->
          set.add(c.name(), Parameter.Role.LOW_RANK, true, Initializer.constant(0), dims);
    };
  }

  private static Initializer present(TunableConstant constant) {
    return Initializer.values(constant.present().orElseThrow().floats());
  }

  /** {@return the constants} */
  public List<TunableConstant> constants() {
    return trunk.constants();
  }

  /**
   * {@return the parameter of a constant}
   *
   * @param name of the constant
   */
  public Parameter parameter(String name) {
    return Objects.requireNonNull(parameters.get(name), name);
  }

  /** {@return bytes of activations that the last training step kept for its gradient} */
  public long keptBytes() {
    return trunk.keptBytes();
  }

  private Map<String, Tensor> values() {
    Map<String, Tensor> values = new LinkedHashMap<>();
    parameters.forEach((name, p) -> values.put(name, host.read(p.value())));
    return values;
  }

  /**
   * Writes the gradients of all constants after a run of {@link #training}.
   *
   * @param dLast [rows, width] gradient by what enters the last norm, on the host
   */
  void backward(Tensor dLast, int batch) {
    Map<String, Tensor> gradients = new LinkedHashMap<>();
    parameters.forEach((name, p) -> gradients.put(name, host.of(p.gradient())));
    TrunkOutput last = trunk.outputs().get(trunk.finalInput());
    long tokens = dLast.shape().rows() / batch;
    trunk.backward(dLast.view(last.shape(batch, tokens)), gradients);
    parameters.values().forEach(p -> host.write(p.gradient()));
  }

  /** {@return features with the present constants, and what {@link #backward} needs kept} */
  public FeatureSource training() {
    return new Source() {
      @Override
      public void run(Map<String, Tensor> inputs, long batch, List<Tensor> results) {
        trunk.forwardForGradient(inputs, values(), batch, results);
      }
    };
  }

  /** {@return features with the present constants} */
  public FeatureSource evaluation() {
    return new Source() {
      @Override
      public void run(Map<String, Tensor> inputs, long batch, List<Tensor> results) {
        trunk.forward(inputs, values(), batch, results);
      }
    };
  }

  private abstract class Source implements FeatureSource {
    @Override
    public List<TrunkOutput> outputs() {
      return trunk.outputs();
    }

    @Override
    public int finalInput() {
      return trunk.finalInput();
    }
  }
}
