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
  private record Operations(
      LinearOps linear,
      TokenOps tokens,
      PoolOps pools,
      LadderOps ladder,
      AdapterOps adapter,
      AttentionOps attention,
      FeatureOps features,
      MaskOps masks,
      ConvOps conv,
      LogitOps logits,
      RegressionOps regression,
      OptimizerOps optimizer) {}

  private final Context context;
  private final Operations operations;

  CudaKernels(Context context) {
    this.context = context;
    operations =
        new Operations(
            new LinearOps(context),
            new TokenOps(context),
            new PoolOps(context),
            new LadderOps(context),
            new AdapterOps(context),
            new AttentionOps(context),
            new FeatureOps(context),
            new MaskOps(context),
            new ConvOps(context),
            new LogitOps(context),
            new RegressionOps(context),
            new OptimizerOps(context));
  }

  /** For the next one: memory that an operation took which failed half-way is free again. */
  private Operations next() {
    context.scratch().release(0);
    return operations;
  }

  @Override
  public void gemm(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor c) {
    next().linear().gemm(a, transposeA, b, transposeB, c);
  }

  @Override
  public void linear(Tensor x, Tensor weight, Tensor bias, Tensor y) {
    next().linear().linear(x, weight, bias, y);
  }

  @Override
  public void linearBackward(
      Tensor x, Tensor weight, Tensor dy, Tensor dx, Tensor dWeight, Tensor dBias) {
    next().linear().linearBackward(x, weight, dy, dx, dWeight, dBias);
  }

  @Override
  public void add(Tensor x, Tensor y) {
    next().linear().add(x, y);
  }

  @Override
  public void layerNorm(
      Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y, Tensor mean, Tensor rstd) {
    next().tokens().layerNorm(x, gamma, beta, epsilon, y, mean, rstd);
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
    next().tokens().layerNormBackward(x, gamma, mean, rstd, dy, dx, addToDx, dGamma, dBeta);
  }

  @Override
  public void gelu(Tensor x, Tensor y) {
    next().tokens().gelu(x, y);
  }

  @Override
  public void geluBackward(Tensor x, Tensor dy, Tensor dx) {
    next().tokens().geluBackward(x, dy, dx);
  }

  @Override
  public void relu(Tensor x, Tensor y) {
    next().tokens().relu(x, y);
  }

  @Override
  public void reluBackward(Tensor y, Tensor dy, Tensor dx) {
    next().tokens().reluBackward(y, dy, dx);
  }

  @Override
  public void ladderCoefficients(
      Tensor gates, float tau, MaskPlacement placement, Tensor keep, Tensor c) {
    next().ladder().coefficients(gates, tau, placement, keep, c);
  }

  @Override
  public void ladderCoefficientsBackward(
      Tensor gates, float tau, MaskPlacement placement, Tensor keep, Tensor dc, Tensor dGates) {
    next().ladder().coefficientsBackward(gates, tau, placement, keep, dc, dGates);
  }

  @Override
  public void ladderProject(Tensor h, Tensor weight, Tensor bias, Tensor c, Tensor u) {
    next().ladder().project(h, weight, bias, c, u);
  }

  @Override
  public void ladderProjectBackward(Tensor h, Tensor du, Tensor c, Tensor dWeight, Tensor dBias) {
    next().ladder().projectBackward(h, du, c, dWeight, dBias);
  }

  @Override
  public void ladderMix(Tensor z, Tensor u, Tensor c, Tensor x) {
    next().ladder().mix(z, u, c, x);
  }

  @Override
  public void ladderMixBackward(
      Tensor dx, Tensor z, Tensor u, Tensor c, Tensor dz, Tensor du, Tensor dc) {
    next().ladder().mixBackward(dx, z, u, c, dz, du, dc);
  }

  @Override
  public void adapter(
      Tensor x, AdapterWeights weights, float epsilon, AdapterState state, Tensor z) {
    next().adapter().forward(x, weights, epsilon, state, z);
  }

  @Override
  public void adapterBackward(
      Tensor x,
      AdapterWeights weights,
      AdapterState state,
      Tensor dz,
      Tensor dx,
      AdapterWeights gradients) {
    next().adapter().backward(x, weights, state, dz, dx, gradients);
  }

  @Override
  public void attention(Tensor qkv, TokenLayout layout, int heads, Tensor valid, Tensor out) {
    next().attention().forward(qkv, layout, heads, valid, out);
  }

  @Override
  public void attentionBackward(
      Tensor qkv, TokenLayout layout, int heads, Tensor valid, Tensor dOut, Tensor dQkv) {
    next().attention().backward(qkv, layout, heads, valid, dOut, dQkv);
  }

  @Override
  public void pool(Tensor x, TokenLayout layout, Pooling pooling, Tensor valid, Tensor y) {
    next().pools().pool(x, layout, pooling, valid, y);
  }

  @Override
  public void poolBackward(
      Tensor dy, TokenLayout layout, Pooling pooling, Tensor valid, Tensor dx) {
    next().pools().poolBackward(dy, layout, pooling, valid, dx);
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
    next().features().matching(z, down, up, h, v, weight, standardize, loss, dz, dDown, dUp);
  }

  @Override
  public void drawMask(
      long seed, long stream, float ratio, TokenLayout layout, Tensor valid, Tensor removed) {
    next().masks().draw(seed, stream, ratio, layout, valid, removed);
  }

  @Override
  public void invertMask(Tensor mask) {
    next().masks().invert(mask);
  }

  @Override
  public void insertMaskToken(Tensor x, Tensor removed, Tensor maskToken, Tensor y) {
    next().masks().insert(x, removed, maskToken, y);
  }

  @Override
  public void insertMaskTokenBackward(Tensor dy, Tensor removed, Tensor dx, Tensor dMaskToken) {
    next().masks().insertBackward(dy, removed, dx, dMaskToken);
  }

  @Override
  public void conv3x3(Tensor x, TokenLayout layout, Tensor weight, Tensor bias, Tensor y) {
    next().conv().forward(x, layout, weight, bias, y);
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
    next().conv().backward(x, layout, weight, dy, dx, dWeight, dBias);
  }

  @Override
  public void logitDistillation(
      Tensor student,
      Tensor teacher,
      int[] labels,
      Distillation weights,
      Tensor losses,
      Tensor dStudent) {
    next().logits().distill(student, teacher, labels, weights, losses, dStudent);
  }

  @Override
  public void regression(
      Tensor student,
      Tensor teacher,
      float[] targets,
      float teacherWeight,
      Tensor losses,
      Tensor dStudent) {
    next().regression().regress(student, teacher, targets, teacherWeight, losses, dStudent);
  }

  @Override
  public void gradientClip(Tensor gradient, float maxNorm, Tensor clip) {
    next().optimizer().clip(gradient, maxNorm, clip);
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
    next().optimizer().adamw(parameters, gradient, m, v, groups, beta1, beta2, epsilon, step, clip);
  }
}
