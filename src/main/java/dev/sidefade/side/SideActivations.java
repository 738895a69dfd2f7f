package dev.sidefade.side;

import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.ReadOut;
import dev.sidefade.layers.Slab;
import dev.sidefade.layers.TransformerBlock;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All memory of a forward and backward pass over one token layout, laid out in a {@link Slab}. */
public final class SideActivations {
  private final TokenLayout layout;
  private final Tensor coefficients;
  private final Tensor dCoefficients;
  private final List<Tensor> coefficientRows = new ArrayList<>();
  private final List<Tensor> dCoefficientRows = new ArrayList<>();
  private final List<Tensor> states = new ArrayList<>();
  private final List<Tensor> projected = new ArrayList<>();
  private final List<Tensor> mixed = new ArrayList<>();
  private final List<SideBlock.State> blockStates = new ArrayList<>();
  private final ReadOut.State readOut;
  private final TransformerBlock.@Nullable Scratch scratch;
  private final Tensor gradient;
  private final Tensor dProjected;

  /**
   * Takes the memory that {@code network} needs for {@code layout} out of {@code slab}.
   *
   * @param network that computes
   * @param layout how the rows are arranged
   * @param slab memory that the pieces are taken from
   */
  public SideActivations(SideNetwork network, TokenLayout layout, Slab slab) {
    this.layout = layout;
    int blocks = network.config().blocks();
    long rows = layout.rows();
    int width = network.config().width();
    coefficients = slab.take(blocks, rows);
    dCoefficients = slab.take(blocks, rows);
    states.add(slab.take(rows, width));
    for (int l = 1; l <= blocks; l++) {
      coefficientRows.add(row(coefficients, l, rows));
      dCoefficientRows.add(row(dCoefficients, l, rows));
      projected.add(slab.take(rows, width));
      mixed.add(slab.take(rows, width));
      blockStates.add(network.blocks().get(l - 1).state(slab, layout));
      states.add(slab.take(rows, width));
    }
    readOut = network.readOut().state(slab, layout);
    scratch = network.blocks().getFirst().scratch(slab, layout);
    gradient = slab.take(rows, width);
    dProjected = slab.take(rows, width);
  }

  @SuppressWarnings("NullAway") // null only while a plan is measured, which looks at nothing
  private static Tensor row(Tensor matrix, int l, long rows) {
    return matrix == null ? null : matrix.slice((l - 1) * rows, rows);
  }

  /** {@return arrangement of the rows} */
  public TokenLayout layout() {
    return layout;
  }

  /** {@return [N, classes], after the forward pass; N rows are left by the read-out's pooling} */
  public Tensor logits() {
    return readOut.logits();
  }

  /**
   * {@return Z_l [rows, D_S], after the forward pass}
   *
   * @param l from 0
   */
  public Tensor state(int l) {
    return states.get(l);
  }

  Tensor coefficients() {
    return coefficients;
  }

  Tensor coefficients(int l) {
    return coefficientRows.get(l - 1);
  }

  Tensor dCoefficients() {
    return dCoefficients;
  }

  Tensor dCoefficients(int l) {
    return dCoefficientRows.get(l - 1);
  }

  Tensor projected(int l) {
    return projected.get(l - 1);
  }

  Tensor mixed(int l) {
    return mixed.get(l - 1);
  }

  SideBlock.State blockState(int l) {
    return blockStates.get(l - 1);
  }

  ReadOut.State readOut() {
    return readOut;
  }

  TransformerBlock.@Nullable Scratch scratch() {
    return scratch;
  }

  Tensor gradient() {
    return gradient;
  }

  Tensor dProjected() {
    return dProjected;
  }
}
