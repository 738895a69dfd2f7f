package dev.sidefade.layers;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.OptimizerGroup;
import dev.sidefade.tensor.Closer;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A set of trainable tensors in one flat vector each for values, gradients and the two moments of
 * AdamW, so that clipping and the update are one call each. Layers declare their parameters, then
 * {@link #allocate} gives them memory and first values.
 */
public final class Parameters implements AutoCloseable {
  /**
   * Each parameter starts on a multiple of this many floats, a cache line; the flat vectors have a
   * multiple of it too.
   */
  public static final long ALIGNMENT = 16;

  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Closer own = new Closer();

  @SuppressWarnings("NullAway.Init")
  private Tensor values;

  @SuppressWarnings("NullAway.Init")
  private Tensor gradients;

  @SuppressWarnings("NullAway.Init")
  private Tensor firstMoments;

  @SuppressWarnings("NullAway.Init")
  private Tensor secondMoments;

  @SuppressWarnings("NullAway.Init")
  private Tensor clip;

  /** An empty set; parameters are declared first, then all get their memory at once. */
  public Parameters() {}

  /**
   * Declares a parameter; its value is there after {@link #allocate}.
   *
   * @param name unique within the set
   * @param role which learning rate it has
   * @param decay whether weight decay applies
   * @param initializer its first values
   * @param dims dimensions, outermost first
   * @return the parameter
   */
  public Parameter add(
      String name, Parameter.Role role, boolean decay, Initializer initializer, long... dims) {
    if (values != null) {
      throw new IllegalStateException("parameter " + name + " is declared after allocation");
    }
    Parameter p = new Parameter(name, Shape.of(dims), role, decay, initializer);
    if (parameters.putIfAbsent(name, p) != null) {
      throw new IllegalArgumentException("parameter " + name + " is declared twice");
    }
    return p;
  }

  /**
   * Gives all declared parameters memory on {@code device} and their first values, a function of
   * the seed alone.
   *
   * @param device where tensors live and what computes
   * @param seed what the random numbers follow from
   * @return this set
   */
  public Parameters allocate(Device device, long seed) {
    long total = size();
    values = own.make(() -> device.allocate(total));
    gradients = own.make(() -> device.allocate(total));
    firstMoments = own.make(() -> device.allocate(total));
    secondMoments = own.make(() -> device.allocate(total));
    clip = own.make(() -> device.allocate(2));
    long at = 0;
    for (Parameter p : parameters.values()) {
      p.bind(values.slice(at, p.shape().toArray()), gradients.slice(at, p.shape().toArray()));
      initialize(p, seed);
      at += padded(p.shape().size());
    }
    return this;
  }

  /** Of all parameters with their padding. */
  private long size() {
    long total = 0;
    for (Parameter p : parameters.values()) {
      total = Math.addExact(total, padded(p.shape().size()));
    }
    return total;
  }

  private static void initialize(Parameter p, long seed) {
    // by name: adding a parameter does not change how the others start
    long stream = p.name().hashCode();
    float[] start = new float[Math.toIntExact(p.shape().size())];
    for (int i = 0; i < start.length; i++) {
      start[i] = p.initializer().value(seed, stream, i);
    }
    p.value().setFloats(start);
  }

  private static long padded(long size) {
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** {@return all parameters in the order of declaration} */
  public List<Parameter> all() {
    return List.copyOf(parameters.values());
  }

  /**
   * {@return the parameter of that name}
   *
   * @param name unique within the set
   * @throws IllegalArgumentException if there is none
   */
  public Parameter get(String name) {
    Parameter p = parameters.get(name);
    if (p == null) {
      throw new IllegalArgumentException("there is no parameter " + name);
    }
    return p;
  }

  /** {@return number of trainable scalars} */
  public long count() {
    return parameters.values().stream().mapToLong(p -> p.shape().size()).sum();
  }

  /** {@return flat vector of all values, padding included} */
  public Tensor values() {
    return values;
  }

  /** {@return flat vector of all gradients} */
  public Tensor gradients() {
    return gradients;
  }

  /** {@return AdamW's running mean of gradients} */
  public Tensor firstMoments() {
    return firstMoments;
  }

  /** {@return AdamW's running mean of squared gradients} */
  public Tensor secondMoments() {
    return secondMoments;
  }

  /** {@return factor and norm of the last clipping: [2], see {@link Kernels#gradientClip}} */
  public Tensor clip() {
    return clip;
  }

  /** Learning rate of a role at this step, schedule applied. */
  @FunctionalInterface
  public interface Rates {
    /**
     * {@return the learning rate of the parameters of a role}
     *
     * @param role of the parameters
     */
    float of(Parameter.Role role);
  }

  /**
   * Clips the gradient to {@code maxNorm} (0 = not at all) and takes one AdamW step with betas 0.9
   * and 0.999.
   *
   * @param kernels the operations of the device
   * @param maxNorm largest norm that the gradient may keep; 0 = any
   * @param rates learning rate of each role
   * @param weightDecay factor of AdamW's decay
   * @param step from 1
   */
  public void update(Kernels kernels, float maxNorm, Rates rates, float weightDecay, long step) {
    kernels.gradientClip(gradients, maxNorm, clip);
    kernels.adamw(
        values,
        gradients,
        firstMoments,
        secondMoments,
        groups(rates, weightDecay),
        0.9f,
        0.999f,
        1e-8f,
        step,
        clip);
  }

  /** Runs of neighbours that are treated alike, merged. */
  OptimizerGroup[] groups(Rates rates, float weightDecay) {
    List<OptimizerGroup> groups = new ArrayList<>();
    long at = 0;
    for (Parameter p : parameters.values()) {
      long count = padded(p.shape().size());
      float rate = rates.of(p.role());
      float decay = p.decay() ? weightDecay : 0;
      OptimizerGroup last = groups.isEmpty() ? null : groups.getLast();
      if (last != null && last.learningRate() == rate && last.weightDecay() == decay) {
        groups.set(
            groups.size() - 1, new OptimizerGroup(last.from(), last.count() + count, rate, decay));
      } else {
        groups.add(new OptimizerGroup(at, count, rate, decay));
      }
      at += count;
    }
    return groups.toArray(OptimizerGroup[]::new);
  }

  @Override
  public void close() {
    own.close();
  }
}
