package dev.sidefade.cuda.ops;

import dev.sidefade.kernels.AdapterState;
import dev.sidefade.kernels.AdapterWeights;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.OptimizerGroup;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;

/** The operations of {@link Kernels} on CUDA: hands each to the class of its subject. */
final class CudaKernels implements Kernels {
  private final LinearOps linear;
  private final TokenOps tokens;
  private final PoolOps pools;
  private final LadderOps ladder;
  private final AdapterOps adapter;
  private final AttentionOps attention;
  private final FeatureOps features;
  private final MaskOps masks;
  private final ConvOps conv;
  private final LogitOps logits;
  private final RegressionOps regression;
  private final OptimizerOps optimizer;

  CudaKernels(Context context) {
    linear = new LinearOps(context);
    tokens = new TokenOps(context);
    pools = new PoolOps(context);
    ladder = new LadderOps(context);
    adapter = new AdapterOps(context);
    attention = new AttentionOps(context);
    features = new FeatureOps(context);
    masks = new MaskOps(context);
    conv = new ConvOps(context);
    logits = new LogitOps(context);
    regression = new RegressionOps(context);
    optimizer = new OptimizerOps(context);
  }

  @Override
  public void gemm(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor c) {
    linear.gemm(a, transposeA, b, transposeB, c);
  }

  @Override
  public void linear(Tensor x, Tensor weight, Tensor bias, Tensor y) {
    linear.linear(x, weight, bias, y);
  }

  @Override
  public void linearBackward(
      Tensor x, Tensor weight, Tensor dy, Tensor dx, Tensor dWeight, Tensor dBias) {
    linear.linearBackward(x, weight, dy, dx, dWeight, dBias);
  }

  @Override
  public void add(Tensor x, Tensor y) {
    linear.add(x, y);
  }

  @Override
  public void layerNorm(
      Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y, Tensor mean, Tensor rstd) {
    tokens.layerNorm(x, gamma, beta, epsilon, y, mean, rstd);
  }

  @Override
  public void layerNormBackward(
      Tensor x,
      Tensor gamma,
      Tensor mean,
      Tensor rstd,
      Tensor dy,
      Tensor dx,
      boolean addToDx,
      Tensor dGamma,
      Tensor dBeta) {
    tokens.layerNormBackward(x, gamma, mean, rstd, dy, dx, addToDx, dGamma, dBeta);
  }

  @Override
  public void gelu(Tensor x, Tensor y) {
    tokens.gelu(x, y);
  }

  @Override
  public void geluBackward(Tensor x, Tensor dy, Tensor dx) {
    tokens.geluBackward(x, dy, dx);
  }

  @Override
  public void relu(Tensor x, Tensor y) {
    tokens.relu(x, y);
  }

  @Override
  public void reluBackward(Tensor y, Tensor dy, Tensor dx) {
    tokens.reluBackward(y, dy, dx);
  }

  @Override
  public void ladderCoefficients(
      Tensor gates, float tau, MaskPlacement placement, Tensor keep, Tensor c) {
    ladder.coefficients(gates, tau, placement, keep, c);
  }

  @Override
  public void ladderCoefficientsBackward(
      Tensor gates, float tau, MaskPlacement placement, Tensor keep, Tensor dc, Tensor dGates) {
    ladder.coefficientsBackward(gates, tau, placement, keep, dc, dGates);
  }

  @Override
  public void ladderProject(Tensor h, Tensor weight, Tensor bias, Tensor c, Tensor u) {
    ladder.project(h, weight, bias, c, u);
  }

  @Override
  public void ladderProjectBackward(Tensor h, Tensor du, Tensor c, Tensor dWeight, Tensor dBias) {
    ladder.projectBackward(h, du, c, dWeight, dBias);
  }

  @Override
  public void ladderMix(Tensor z, Tensor u, Tensor c, Tensor x) {
    ladder.mix(z, u, c, x);
  }

  @Override
  public void ladderMixBackward(
      Tensor dx, Tensor z, Tensor u, Tensor c, Tensor dz, Tensor du, Tensor dc) {
    ladder.mixBackward(dx, z, u, c, dz, du, dc);
  }

  @Override
  public void adapter(
      Tensor x, AdapterWeights weights, float epsilon, AdapterState state, Tensor z) {
    adapter.forward(x, weights, epsilon, state, z);
  }

  @Override
  public void adapterBackward(
      Tensor x,
      AdapterWeights weights,
      AdapterState state,
      Tensor dz,
      Tensor dx,
      AdapterWeights gradients) {
    adapter.backward(x, weights, state, dz, dx, gradients);
  }

  @Override
  public void attention(Tensor qkv, TokenLayout layout, int heads, Tensor valid, Tensor out) {
    attention.forward(qkv, layout, heads, valid, out);
  }

  @Override
  public void attentionBackward(
      Tensor qkv, TokenLayout layout, int heads, Tensor valid, Tensor dOut, Tensor dQkv) {
    attention.backward(qkv, layout, heads, valid, dOut, dQkv);
  }

  @Override
  public void pool(Tensor x, TokenLayout layout, Pooling pooling, Tensor valid, Tensor y) {
    pools.pool(x, layout, pooling, valid, y);
  }

  @Override
  public void poolBackward(
      Tensor dy, TokenLayout layout, Pooling pooling, Tensor valid, Tensor dx) {
    pools.poolBackward(dy, layout, pooling, valid, dx);
  }

  @Override
  public void featureMatching(
      Tensor z,
      Tensor down,
      Tensor up,
      Tensor h,
      Tensor v,
      float weight,
      boolean standardize,
      Tensor loss,
      Tensor dz,
      Tensor dDown,
      Tensor dUp) {
    features.matching(z, down, up, h, v, weight, standardize, loss, dz, dDown, dUp);
  }

  @Override
  public void drawMask(
      long seed, long stream, float ratio, TokenLayout layout, Tensor valid, Tensor removed) {
    masks.draw(seed, stream, ratio, layout, valid, removed);
  }

  @Override
  public void invertMask(Tensor mask) {
    masks.invert(mask);
  }

  @Override
  public void insertMaskToken(Tensor x, Tensor removed, Tensor maskToken, Tensor y) {
    masks.insert(x, removed, maskToken, y);
  }

  @Override
  public void insertMaskTokenBackward(Tensor dy, Tensor removed, Tensor dx, Tensor dMaskToken) {
    masks.insertBackward(dy, removed, dx, dMaskToken);
  }

  @Override
  public void conv3x3(Tensor x, TokenLayout layout, Tensor weight, Tensor bias, Tensor y) {
    conv.forward(x, layout, weight, bias, y);
  }

  @Override
  public void conv3x3Backward(
      Tensor x,
      TokenLayout layout,
      Tensor weight,
      Tensor dy,
      Tensor dx,
      Tensor dWeight,
      Tensor dBias) {
    conv.backward(x, layout, weight, dy, dx, dWeight, dBias);
  }

  @Override
  public void logitDistillation(
      Tensor student,
      Tensor teacher,
      int[] labels,
      Distillation weights,
      Tensor losses,
      Tensor dStudent) {
    logits.distill(student, teacher, labels, weights, losses, dStudent);
  }

  @Override
  public void regression(
      Tensor student,
      Tensor teacher,
      float[] targets,
      float teacherWeight,
      Tensor losses,
      Tensor dStudent) {
    regression.regress(student, teacher, targets, teacherWeight, losses, dStudent);
  }

  @Override
  public void gradientClip(Tensor gradient, float maxNorm, Tensor clip) {
    optimizer.clip(gradient, maxNorm, clip);
  }

  @Override
  public void adamw(
      Tensor parameters,
      Tensor gradient,
      Tensor m,
      Tensor v,
      OptimizerGroup[] groups,
      float beta1,
      float beta2,
      float epsilon,
      long step,
      Tensor clip) {
    optimizer.adamw(parameters, gradient, m, v, groups, beta1, beta2, epsilon, step, clip);
  }
}
