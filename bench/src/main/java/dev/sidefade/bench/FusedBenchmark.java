package dev.sidefade.bench;

import dev.sidefade.bench.tables.Workload;
import dev.sidefade.kernels.AdapterState;
import dev.sidefade.kernels.AdapterWeights;
import dev.sidefade.tensor.Tensor;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * Operations that are one call, and the same composed of simple ones. That both give the same is
 * tested.
 */
public class FusedBenchmark extends OnWorkload {
  private static final float EPSILON = 1e-6f;

  Tensor x, z, dz, dx;
  AdapterWeights gradients;
  Tensor featureLoss, features, dFeatures, dDown, dUp;
  private AdapterWeights weights;
  private AdapterState state;
  private Tensor dActivated, dHidden, dNormalized;
  private Tensor down, up, h, low, aligned, target, dLow;
  private Tensor minusOne, nothing, mean, rstd, norm;

  @Override
  void prepare(int rows, int tapWidth, int width) {
    long hidden = work.hidden();
    x = random(rows, width);
    z = zeros(rows, width);
    dz = random(rows, width);
    dx = zeros(rows, width);
    weights = weights(width, hidden);
    gradients = weights(width, hidden);
    state =
        new AdapterState(
            zeros(rows), zeros(rows), zeros(rows, width), zeros(rows, hidden), zeros(rows, hidden));
    dActivated = zeros(rows, hidden);
    dHidden = zeros(rows, hidden);
    dNormalized = zeros(rows, width);
    features = random(rows, width);
    down = random(width, Workload.RANK);
    up = random(Workload.RANK, tapWidth);
    h = random(rows, tapWidth);
    featureLoss = zeros(1);
    dFeatures = zeros(rows, width);
    dDown = zeros(width, Workload.RANK);
    dUp = zeros(Workload.RANK, tapWidth);
    low = zeros(rows, Workload.RANK);
    dLow = zeros(rows, Workload.RANK);
    aligned = zeros(rows, tapWidth);
    target = zeros(rows, tapWidth);
    minusOne = constant(-1, tapWidth);
    nothing = zeros(tapWidth);
    mean = zeros(rows);
    rstd = zeros(rows);
    norm = zeros(2);
    adapter();
  }

  private AdapterWeights weights(long width, long hidden) {
    return new AdapterWeights(
        random(width),
        random(width),
        random(width, hidden),
        random(hidden),
        random(hidden, width),
        random(width));
  }

  /** {@code Kernels.adapter}. */
  @Benchmark
  public void adapter() {
    kernels.adapter(x, weights, EPSILON, state, z);
  }

  /** Norm, linear, GELU, linear, addition. */
  @Benchmark
  public void adapterUnfused() {
    kernels.layerNorm(
        x,
        weights.gamma(),
        weights.beta(),
        EPSILON,
        state.normalized(),
        state.mean(),
        state.rstd());
    kernels.linear(state.normalized(), weights.w1(), weights.b1(), state.hidden());
    kernels.gelu(state.hidden(), state.activated());
    kernels.linear(state.activated(), weights.w2(), weights.b2(), z);
    kernels.add(x, z);
  }

  /** {@code Kernels.adapterBackward}. */
  @Benchmark
  public void adapterBackward() {
    kernels.adapterBackward(x, weights, state, dz, dx, gradients);
  }

  /** The gradients of the same operations. */
  @Benchmark
  public void adapterBackwardUnfused() {
    kernels.linearBackward(
        state.activated(), weights.w2(), dz, dActivated, gradients.w2(), gradients.b2());
    kernels.geluBackward(state.hidden(), dActivated, dHidden);
    kernels.linearBackward(
        state.normalized(), weights.w1(), dHidden, dNormalized, gradients.w1(), gradients.b1());
    dx.copyFrom(dz);
    kernels.layerNormBackward(
        x,
        weights.gamma(),
        state.mean(),
        state.rstd(),
        dNormalized,
        dx,
        true,
        gradients.gamma(),
        gradients.beta());
  }

  /** {@code Kernels.featureMatching}, with the weight that leaves twice the squares. */
  @Benchmark
  public void featureMatching() {
    kernels.featureMatching(
        features, down, up, h, null, h.size() / 2f, true, featureLoss, dFeatures, dDown, dUp);
  }

  /** Products, a norm, a difference, its squares, and the products of the gradient. */
  @Benchmark
  public void featureMatchingUnfused() {
    kernels.gemm(features, false, down, false, low);
    kernels.gemm(low, false, up, false, aligned);
    kernels.layerNorm(h, minusOne, nothing, EPSILON, target, mean, rstd);
    kernels.add(target, aligned);
    kernels.gradientClip(aligned.view(aligned.size()), 0, norm);
    kernels.gemm(low, true, aligned, false, dUp);
    kernels.gemm(aligned, false, up, true, dLow);
    kernels.gemm(features, true, dLow, false, dDown);
    kernels.gemm(dLow, false, down, true, dx);
    kernels.add(dx, dFeatures);
  }

  /** The squares of the composed form, summed. */
  double unfusedSquares() {
    double length = norm.get(1);
    return length * length;
  }
}
