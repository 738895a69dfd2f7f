package dev.sidefade.distill;

import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.Initializer;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import dev.sidefade.layers.Slab;
import dev.sidefade.side.SideConfig;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The backbone teaches the side network (method.md, c and d): shallow taps are imitated through a
 * low-rank alignment, deep taps are generated from masked tokens. Alignments and generators are
 * trained with the side network and dropped with it.
 */
public final class FeaturePath {
  /** Standard deviation with which both factors of an alignment start. */
  static final double ALIGNMENT_DEVIATION = 0.02;

  private record Alignment(Parameter down, Parameter up) {}

  private record Deep(Generator generator, Parameter maskToken) {}

  private final FeatureConfig config;
  private final int width;
  private final Map<Integer, Alignment> alignments = new LinkedHashMap<>();
  private final Map<Integer, Deep> deep = new LinkedHashMap<>();

  /**
   * Declares the parameters: align.L.down, align.L.up, generator.L.
   *
   * @param config taps, weights and ranks
   * @param side shape of the side network
   * @param parameters the set that the parameters are declared in
   */
  public FeaturePath(FeatureConfig config, SideConfig side, Parameters parameters) {
    this.config = config;
    this.width = side.width();
    for (List<Integer> taps : List.of(config.shallow(), config.deep())) {
      for (int tap : taps) {
        if (tap < 0 || tap > side.blocks()) {
          throw new BadInputException(
              "there is no tap " + tap + " to distil: taps are 0 to " + side.blocks());
        }
        alignments.put(tap, alignment(parameters, tap, side.tapWidths().get(tap)));
      }
    }
    // adapter blocks need no heads, so their number may be anything
    int heads = side.heads() > 0 && width % side.heads() == 0 ? side.heads() : 1;
    for (int tap : config.deep()) {
      String prefix = "generator." + tap + ".";
      Parameter token =
          parameters.add(
              prefix + "mask_token", Parameter.Role.SIDE, false, Initializer.constant(0), width);
      deep.put(tap, new Deep(Generator.of(parameters, prefix, config.grid(), width, heads), token));
    }
  }

  private Alignment alignment(Parameters parameters, int tap, int tapWidth) {
    Initializer start = Initializer.normal(ALIGNMENT_DEVIATION);
    String prefix = "align." + tap + ".";
    Parameter.Role role = Parameter.Role.SIDE;
    return new Alignment(
        parameters.add(prefix + "down", role, true, start, width, config.rank()),
        parameters.add(prefix + "up", role, true, start, config.rank(), tapWidth));
  }

  /** Memory of a step, and its losses. */
  public final class Activations {
    private final TokenLayout layout;
    private final Tensor removed;
    private final Tensor masked;
    private final Tensor gradient;
    private final Tensor losses;
    private final Generator.State generator;

    @SuppressWarnings("NullAway") // null where no tap is deep: then nobody reads them
    private Activations(TokenLayout layout, Slab slab) {
      this.layout = layout;
      losses = slab.take(alignments.size() + 1L);
      boolean any = !deep.isEmpty();
      removed = any ? slab.take(layout.rows()) : null;
      masked = any ? slab.take(layout.rows(), width) : null;
      gradient = any ? slab.take(layout.rows(), width) : null;
      generator = any ? deep.values().iterator().next().generator().state(slab, layout) : null;
    }

    /** [rows] which tokens are removed; drawn for every deep tap anew. */
    Tensor removed() {
      return removed;
    }

    private Tensor loss(int tap) {
      return losses.slice(place(tap), 1);
    }

    private int place(int tap) {
      return List.copyOf(alignments.keySet()).indexOf(tap);
    }

    /** {@return one number per distilled tap: the terms of the last step, weights included} */
    public Tensor losses() {
      return losses.slice(0, alignments.size());
    }

    /**
     * {@return sum of the imitation terms, weight included, in a copy of {@link #losses} that
     * starts at an element}
     *
     * @param copy of the losses
     * @param from index of the first of them
     */
    public double imitationLoss(float[] copy, int from) {
      return sum(config.shallow(), copy, from);
    }

    /**
     * As {@link #imitationLoss}, of the generation terms.
     *
     * @param copy of the losses
     * @param from index of the first of them
     * @return the sum
     */
    public double generationLoss(float[] copy, int from) {
      return sum(config.deep(), copy, from);
    }

    private double sum(List<Integer> taps, float[] copy, int from) {
      return taps.stream().mapToDouble(tap -> copy[from + place(tap)]).sum();
    }
  }

  /**
   * Takes the memory of a step out of {@code slab}.
   *
   * @param layout how the rows are arranged
   * @param slab memory that the pieces are taken from
   * @return the pieces of memory
   */
  public Activations activations(TokenLayout layout, Slab slab) {
    return new Activations(layout, slab);
  }

  /**
   * If {@code tap} is distilled: computes its loss, writes the gradients of its alignment and
   * generator and adds the gradient by the state.
   *
   * @param kernels the operations of the device
   * @param tap number of the tap, from 0
   * @param h [rows, tap width] the backbone's features
   * @param valid [rows] or null
   * @param state Z_l [rows, D_S]
   * @param gradient [rows, D_S], added to
   * @param a memory of a step
   * @param seed of the run
   * @param stream of the mask's random numbers: unique per step and tap
   */
  public void addTo(
      Kernels kernels,
      int tap,
      Tensor h,
      @Nullable Tensor valid,
      Tensor state,
      Tensor gradient,
      Activations a,
      long seed,
      long stream) {
    if (config.shallow().contains(tap)) {
      float weight = config.imitationWeight() / config.shallow().size();
      match(kernels, tap, state, h, valid, weight, a, gradient);
    } else if (config.deep().contains(tap)) {
      kernels.drawMask(seed, stream, config.generationRatio(), a.layout, valid, a.removed);
      generate(kernels, tap, h, valid, state, gradient, a);
    }
  }

  /** The part after the draw of {@code a.removed()}. */
  void generate(
      Kernels kernels,
      int tap,
      Tensor h,
      @Nullable Tensor valid,
      Tensor state,
      Tensor gradient,
      Activations a) {
    Deep d = Objects.requireNonNull(deep.get(tap));
    kernels.insertMaskToken(state, a.removed, d.maskToken().value(), a.masked);
    d.generator().forward(kernels, a.masked, a.layout, valid, a.generator);
    a.gradient.zero();
    float weight = config.generationWeight() / config.deep().size();
    match(kernels, tap, a.generator.output(), h, a.removed, weight, a, a.gradient);
    d.generator().backward(kernels, a.masked, a.layout, valid, a.generator, a.gradient);
    kernels.insertMaskTokenBackward(a.gradient, a.removed, gradient, d.maskToken().gradient());
  }

  private void match(
      Kernels kernels,
      int tap,
      Tensor features,
      Tensor h,
      @Nullable Tensor counts,
      float weight,
      Activations a,
      Tensor gradient) {
    Alignment m = Objects.requireNonNull(alignments.get(tap));
    kernels.featureMatching(
        features,
        m.down().value(),
        m.up().value(),
        h,
        counts,
        weight,
        config.standardize(),
        a.loss(tap),
        gradient,
        m.down().gradient(),
        m.up().gradient());
  }
}
