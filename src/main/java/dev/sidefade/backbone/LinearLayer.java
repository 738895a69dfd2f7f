package dev.sidefade.backbone;

import java.util.Optional;

/**
 * One linear layer of the encoder blocks: {@code output = input W + bias}, W being [in, out].
 *
 * @param position its number among all linear layers of the blocks, from 0, in the order of
 *     execution
 * @param block the block that it is part of, from 1
 * @param input value that is multiplied, [..., in]
 * @param output value that the MatMul or Gemm returns, [..., out]: before the bias where an Add
 *     puts that on, with it where a Gemm does
 * @param weight initializer that holds W, behind any Identity and Transpose
 * @param transposed whether the initializer holds [out, in] rather than [in, out]
 * @param in number of features that go in
 * @param out number of features that come out
 * @param bias initializer of the bias, [out], where there is one
 */
public record LinearLayer(
    int position,
    int block,
    String input,
    String output,
    String weight,
    boolean transposed,
    long in,
    long out,
    Optional<String> bias) {

  /** {@return name under which the bias can be tuned} */
  public String biasName() {
    return "sidefade.linear." + position + ".bias";
  }

  /** {@return name under which the matrix A, [in, rank], of a low-rank change W + A B is tuned} */
  public String lowRankIn() {
    return "sidefade.linear." + position + ".a";
  }

  /** {@return name under which the matrix B, [rank, out], of a low-rank change W + A B is tuned} */
  public String lowRankOut() {
    return "sidefade.linear." + position + ".b";
  }

  /** {@return name under which W can be replaced, as [in, out]} */
  public String weightName() {
    return "sidefade.linear." + position + ".weight";
  }
}
