package dev.sidefade.kernels;

import dev.sidefade.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Every operation of a training step. Tensors are dense row-major F32 unless said otherwise, on the
 * device whose kernels these are; "rows" is the product of all dimensions but the last. Equations
 * are those of {@code docs/method.md}.
 *
 * <p>Conventions: gradients of parameters are written, gradients of activations are written unless
 * the method says "adds". No output may overlap an input unless the method says so. A {@code null}
 * tensor is allowed only where said. Results are deterministic: the same inputs give the same bits,
 * whatever the number of threads.
 *
 * <p>All methods throw {@link IllegalArgumentException} when shapes do not fit, naming both, and
 * {@link IllegalStateException} when a tensor is closed.
 */
public interface Kernels {
  /**
   * Label of a row of {@link #logitDistillation} that stands for nothing, such as a token of
   * padding: unlike a row without a label it has no teacher either.
   */
  int PADDING = Integer.MIN_VALUE;

  // ---- linear algebra

  /**
   * c = op(a) op(b), op being the transpose where asked.
   *
   * @param a [M, K], or [K, M] when transposed
   * @param transposeA whether a is transposed
   * @param b [K, N], or [N, K] when transposed
   * @param transposeB whether b is transposed
   * @param c [M, N], written
   */
  void gemm(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor c);

  /**
   * y = x weight + bias. x [rows, I], weight [I, O], bias [O] or null, y [rows, O].
   *
   * @param x [rows, I]
   * @param weight [I, O]
   * @param bias [O], or null
   * @param y [rows, O], written
   */
  void linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor y);

  /**
   * Gradients of {@link #linear}: dx = dy weight^T, dWeight = x^T dy, dBias = column sums of dy.
   *
   * @param x [rows, I]
   * @param weight [I, O]
   * @param dy [rows, O]
   * @param dx [rows, I] or null when it is not wanted
   * @param dWeight [I, O], written
   * @param dBias [O] or null
   */
  void linearBackward(
      Tensor x,
      Tensor weight,
      Tensor dy,
      @Nullable Tensor dx,
      Tensor dWeight,
      @Nullable Tensor dBias);

  /**
   * y += x, element by element.
   *
   * @param x of any shape
   * @param y of as many elements, added to
   */
  void add(Tensor x, Tensor y);

  // ---- token-wise

  /**
   * y = gamma (x - mean) rstd + beta with the biased variance over the last dimension.
   *
   * @param x [rows, D]
   * @param gamma [D]
   * @param beta [D]
   * @param epsilon added to the variance
   * @param y [rows, D]
   * @param mean [rows], written
   * @param rstd [rows], written: 1 / sqrt(variance + epsilon)
   */
  void layerNorm(
      Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y, Tensor mean, Tensor rstd);

  /**
   * Gradients of {@link #layerNorm}; <b>adds</b> to dx when {@code addToDx} (a residual branch),
   * writes it otherwise.
   *
   * @param x [rows, D]
   * @param gamma [D]
   * @param mean [rows] of {@link #layerNorm}
   * @param rstd [rows] of {@link #layerNorm}
   * @param dy [rows, D]
   * @param dx [rows, D], or null when it is not wanted
   * @param addToDx whether dx is added to
   * @param dGamma [D]
   * @param dBeta [D]
   */
  void layerNormBackward(
      Tensor x,
      Tensor gamma,
      Tensor mean,
      Tensor rstd,
      Tensor dy,
      @Nullable Tensor dx,
      boolean addToDx,
      Tensor dGamma,
      Tensor dBeta);

  /**
   * y = x Phi(x), the exact GELU (through erf). In place allowed.
   *
   * @param x of any shape
   * @param y of the same shape, written
   */
  void gelu(Tensor x, Tensor y);

  /**
   * dx = dy gelu'(x). In place (dx being dy) allowed.
   *
   * @param x input of {@link #gelu}
   * @param dy of the same shape
   * @param dx of the same shape, written
   */
  void geluBackward(Tensor x, Tensor dy, Tensor dx);

  /**
   * y = max(x, 0). In place allowed.
   *
   * @param x of any shape
   * @param y of the same shape, written
   */
  void relu(Tensor x, Tensor y);

  /**
   * dx = dy where y > 0, else 0; y is the output of {@link #relu}. In place allowed.
   *
   * @param y output of {@link #relu}
   * @param dy of the same shape
   * @param dx of the same shape, written
   */
  void reluBackward(Tensor y, Tensor dy, Tensor dx);

  // ---- the ladder

  /**
   * Coefficients of all taps: with g_l = sigmoid(gates_l / tau), c = 1 - m g_l ({@link
   * MaskPlacement#STATE}) or c = m (1 - g_l) ({@link MaskPlacement#INPUT}).
   *
   * @param gates [L]
   * @param tau temperature of the gates, positive
   * @param placement what the mask takes away
   * @param keep [rows], 1 = kept, 0 = masked, the same for all taps; null when nothing is masked
   * @param c [L, rows], written
   */
  void ladderCoefficients(
      Tensor gates, float tau, MaskPlacement placement, @Nullable Tensor keep, Tensor c);

  /**
   * dGates [L] from dc [L, rows].
   *
   * @param gates [L]
   * @param tau temperature of the gates, positive
   * @param placement what the mask takes away
   * @param keep as in {@link #ladderCoefficients}
   * @param dc [L, rows]
   * @param dGates [L], written
   */
  void ladderCoefficientsBackward(
      Tensor gates,
      float tau,
      MaskPlacement placement,
      @Nullable Tensor keep,
      Tensor dc,
      Tensor dGates);

  /**
   * u = h weight + bias over the rows whose coefficient is not 0; rows with c = 0 are neither read
   * in h nor written in u.
   *
   * @param h [rows, DB] features of the frozen backbone
   * @param weight [DB, DS]
   * @param bias [DS]
   * @param c [rows], or null for all rows
   * @param u [rows, DS]
   */
  void ladderProject(Tensor h, Tensor weight, Tensor bias, @Nullable Tensor c, Tensor u);

  /**
   * dWeight = h^T du and dBias over the rows with c not 0; other rows of h and du are not read.
   *
   * @param h [rows, DB]
   * @param du [rows, DS]
   * @param c [rows], or null for all rows
   * @param dWeight [DB, DS], written
   * @param dBias [DS], written
   */
  void ladderProjectBackward(Tensor h, Tensor du, @Nullable Tensor c, Tensor dWeight, Tensor dBias);

  /**
   * x = z + c (u - z) per row. Where c = 0 u is not read, where c = 1 z is not read. x may be z.
   *
   * @param z [rows, DS]
   * @param u [rows, DS]
   * @param c [rows]
   * @param x [rows, DS], written
   */
  void ladderMix(Tensor z, Tensor u, Tensor c, Tensor x);

  /**
   * dz = (1 - c) dx, du = c dx, dc = dx . (u - z) per row, with dc = 0 for rows with c of exactly 0
   * or 1 (they are masked, or the gate is saturated). dz may be dx.
   *
   * @param dx [rows, DS]
   * @param z [rows, DS]
   * @param u [rows, DS]
   * @param c [rows]
   * @param dz [rows, DS], written
   * @param du [rows, DS], written
   * @param dc [rows], written
   */
  void ladderMixBackward(Tensor dx, Tensor z, Tensor u, Tensor c, Tensor dz, Tensor du, Tensor dc);

  // ---- side blocks

  /**
   * z = x + gelu(layerNorm(x) w1 + b1) w2 + b2 per row; what the backward pass needs is left in
   * {@code state}.
   *
   * @param x [rows, D]
   * @param weights of the block
   * @param epsilon added to the variance
   * @param state memory for the backward pass, written
   * @param z [rows, D], written
   */
  void adapter(Tensor x, AdapterWeights weights, float epsilon, AdapterState state, Tensor z);

  /**
   * Gradients of {@link #adapter}: dx [rows, D] is written (it may be dz), and all of {@code
   * gradients}.
   *
   * @param x [rows, D]
   * @param weights of the block
   * @param state as {@link #adapter} left it
   * @param dz [rows, D]
   * @param dx [rows, D], written
   * @param gradients of the weights, written
   */
  void adapterBackward(
      Tensor x,
      AdapterWeights weights,
      AdapterState state,
      Tensor dz,
      Tensor dx,
      AdapterWeights gradients);

  /**
   * Multi-head self-attention softmax(q k^T / sqrt(D / heads)) v, per sample and head.
   *
   * @param qkv [batch * tokens, 3 D]: queries, keys, values, heads contiguous in each
   * @param layout how the rows are arranged
   * @param heads number of heads, which divides D
   * @param valid [batch * tokens], 1 = token, 0 = padding (no attention to it); null when all are
   *     tokens
   * @param out [batch * tokens, D]; rows of padding are finite and meaningless
   */
  void attention(Tensor qkv, TokenLayout layout, int heads, @Nullable Tensor valid, Tensor out);

  /**
   * dQkv of {@link #attention}; the probabilities are computed again, not kept.
   *
   * @param qkv [batch * tokens, 3 D]
   * @param layout how the rows are arranged
   * @param heads number of heads, which divides D
   * @param valid as in {@link #attention}
   * @param dOut [batch * tokens, D]
   * @param dQkv [batch * tokens, 3 D], written
   */
  void attentionBackward(
      Tensor qkv, TokenLayout layout, int heads, @Nullable Tensor valid, Tensor dOut, Tensor dQkv);

  /**
   * y [pooling.rows(layout), D * pooling.parts()] from x [batch * tokens, D]; valid as in {@link
   * #attention}. Tokens of padding are not read, but for a first token that {@link Pooling#CLS} or
   * {@link Pooling#CLS_MEAN} takes; their rows of y are 0 with {@link Pooling#TOKENS}.
   *
   * @param x [batch * tokens, D]
   * @param layout how the rows are arranged
   * @param pooling how tokens become one row
   * @param valid as in {@link #attention}
   * @param y [pooling.rows(layout), D * pooling.parts()], written
   */
  void pool(Tensor x, TokenLayout layout, Pooling pooling, @Nullable Tensor valid, Tensor y);

  /**
   * dx [batch * tokens, D] of {@link #pool}, every row written: 0 where the token had no part. Rows
   * of dy that belong to padding with {@link Pooling#TOKENS} are not read.
   *
   * @param dy [pooling.rows(layout), D * pooling.parts()]
   * @param layout how the rows are arranged
   * @param pooling how tokens become one row
   * @param valid as in {@link #attention}
   * @param dx [batch * tokens, D], written
   */
  void poolBackward(
      Tensor dy, TokenLayout layout, Pooling pooling, @Nullable Tensor valid, Tensor dx);

  // ---- the feature path

  /**
   * Low-rank alignment and squared error in one call, with all gradients: f = z down up, loss =
   * weight / (DB sum v) sum v (f - t(h))^2.
   *
   * @param z [rows, DS]
   * @param down [DS, rank]
   * @param up [rank, DB]
   * @param h [rows, DB] the target; a constant
   * @param v [rows] 1 = counts, 0 = is not read; null when all count
   * @param weight factor of the loss
   * @param standardize whether t is a layer norm without parameters (epsilon 1e-6); otherwise the
   *     identity
   * @param loss [1], written; 0 when no row counts
   * @param dz [rows, DS]; the gradient is <b>added</b>
   * @param dDown [DS, rank]
   * @param dUp [rank, DB]
   */
  void featureMatching(
      Tensor z,
      Tensor down,
      Tensor up,
      Tensor h,
      @Nullable Tensor v,
      float weight,
      boolean standardize,
      Tensor loss,
      Tensor dz,
      Tensor dDown,
      Tensor dUp);

  /**
   * Draws which tokens are removed: of the V valid tokens after the prefix of a sample, the V -
   * floor(V (1 - ratio)), computed in double, of largest noise u = CounterRandom(seed, stream,
   * token row), ties by index. Every device draws the same.
   *
   * @param seed of the run
   * @param stream of the random numbers
   * @param ratio share of the tokens that is removed, in [0, 1]
   * @param layout how the rows are arranged
   * @param valid as in {@link #attention}
   * @param removed [batch * tokens], written: 1 = removed, 0 = kept
   */
  void drawMask(
      long seed,
      long stream,
      float ratio,
      TokenLayout layout,
      @Nullable Tensor valid,
      Tensor removed);

  /**
   * mask = 1 - mask, in place: from removed tokens to kept ones.
   *
   * @param mask of any shape, 0 or 1, changed
   */
  void invertMask(Tensor mask);

  /**
   * y = mask token [D] where removed, x elsewhere. x, y [rows, D].
   *
   * @param x [rows, D]
   * @param removed [rows], 1 = removed, 0 = kept
   * @param maskToken [D]
   * @param y [rows, D], written
   */
  void insertMaskToken(Tensor x, Tensor removed, Tensor maskToken, Tensor y);

  /**
   * dMaskToken = sum of dy over removed rows; dx gets dy <b>added</b> on the other rows.
   *
   * @param dy [rows, D]
   * @param removed [rows], 1 = removed, 0 = kept
   * @param dx [rows, D], added to
   * @param dMaskToken [D], written
   */
  void insertMaskTokenBackward(Tensor dy, Tensor removed, Tensor dx, Tensor dMaskToken);

  /**
   * 3 x 3 convolution with zero padding over the patch grid; prefix tokens become 0.
   *
   * @param x [batch * tokens, I]
   * @param layout how the rows are arranged
   * @param weight [9 I, O]: rows ordered (ky, kx, input channel)
   * @param bias [O]
   * @param y [batch * tokens, O]
   */
  void conv3x3(Tensor x, TokenLayout layout, Tensor weight, Tensor bias, Tensor y);

  /**
   * Gradients of {@link #conv3x3}; prefix rows of dx become 0, prefix rows of dy are not read. dx
   * may be null.
   *
   * @param x [batch * tokens, I]
   * @param layout how the rows are arranged
   * @param weight [9 I, O]
   * @param dy [batch * tokens, O]
   * @param dx [batch * tokens, I], written; null when it is not wanted
   * @param dWeight [9 I, O], written
   * @param dBias [O], written
   */
  void conv3x3Backward(
      Tensor x,
      TokenLayout layout,
      Tensor weight,
      Tensor dy,
      @Nullable Tensor dx,
      Tensor dWeight,
      Tensor dBias);

  // ---- the logit path

  /**
   * Cross-entropy and distillation with the gradient by the student's logits, in one call. A row is
   * a sample, or a token where every token has a label.
   *
   * @param student [rows, C]
   * @param teacher [rows, C], a constant; null when there is none
   * @param labels one per row; {@link #PADDING} = the row takes part in nothing, its logits are not
   *     read and its gradient is 0; any other negative number = the row has no label and no
   *     cross-entropy
   * @param weights of the two losses, and the temperature
   * @param losses [2], written: mean cross-entropy over labelled rows, and T^2 KL as a mean over
   *     the rows that are not padding; unweighted, 0 when there are no such rows
   * @param dStudent [rows, C], written: the gradient of ceWeight CE + klWeight KL
   */
  void logitDistillation(
      Tensor student,
      @Nullable Tensor teacher,
      int[] labels,
      Distillation weights,
      Tensor losses,
      Tensor dStudent);

  /**
   * The form that {@link #logitDistillation} takes for a number instead of a class: squared errors
   * against targets and against the teacher, with the gradient by the student's output.
   *
   * @param student [rows, 1]
   * @param teacher [rows, 1], a constant; null when there is none
   * @param targets one per row, finite; NaN = the row has no target
   * @param teacherWeight factor of the second loss, not negative
   * @param losses [2], written: the mean of (student - target)^2 over the rows with a target, 0
   *     without any, and the mean of (student - teacher)^2 over all rows, 0 without a teacher;
   *     unweighted
   * @param dStudent [rows, 1], written: the gradient of losses[0] + teacherWeight losses[1]
   */
  void regression(
      Tensor student,
      @Nullable Tensor teacher,
      float[] targets,
      float teacherWeight,
      Tensor losses,
      Tensor dStudent);

  // ---- the optimiser

  /**
   * clip [2], written: the factor min(1, maxNorm / norm) and the norm of the whole gradient (1 and
   * the norm when maxNorm is 0). The factor is NaN when the gradient holds NaN or infinity.
   *
   * @param gradient [P]
   * @param maxNorm largest norm that is left as it is; 0 = any
   * @param clip [2], written
   */
  void gradientClip(Tensor gradient, float maxNorm, Tensor clip);

  /**
   * AdamW over runs of one flat parameter vector: m = b1 m + (1 - b1) s g, v = b2 v + (1 - b2) (s
   * g)^2, p -= lr (m' / (sqrt(v') + eps) + decay p) with the bias-corrected m', v' and s = clip[0].
   *
   * @param parameters [P], updated
   * @param gradient [P]
   * @param m [P], updated
   * @param v [P], updated
   * @param groups runs of the vector with a learning rate and a decay each
   * @param beta1 decay of the mean, in [0, 1)
   * @param beta2 decay of the mean square, in [0, 1)
   * @param epsilon added to the root
   * @param step number of this update, from 1
   * @param clip [2] of {@link #gradientClip}
   */
  void adamw(
      Tensor parameters,
      Tensor gradient,
      Tensor m,
      Tensor v,
      OptimizerGroup[] groups,
      float beta1,
      float beta2,
      float epsilon,
      long step,
      Tensor clip);
}
