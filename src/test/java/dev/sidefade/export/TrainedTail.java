package dev.sidefade.export;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.Initializer;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import dev.sidefade.layers.ReadOut;
import dev.sidefade.layers.Slab;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A tail with made-up values, and the logits that training would compute with it. */
final class TrainedTail implements AutoCloseable {
  private final Backbone backbone;
  private final Pooling pooling;
  private final Parameters parameters = new Parameters();
  private final ReadOut readOut;
  private final Device device = Device.open("cpu", 1);
  private final boolean withNorm;

  TrainedTail(Backbone backbone, Pooling pooling, int classes, boolean withNorm, long seed) {
    this.backbone = backbone;
    this.pooling = pooling;
    this.withNorm = withNorm;
    float[] scale = backbone.finalNormScale();
    readOut =
        new ReadOut(
            parameters,
            Parameter.Role.NORM,
            Parameter.Role.HEAD,
            scale.length,
            pooling,
            classes,
            backbone.finalNormEpsilon(),
            true,
            Initializer.values(scale),
            Initializer.values(backbone.finalNormBias()));
    parameters.allocate(device, seed);
    Random random = new Random(seed);
    if (withNorm) {
      jitter(readOut.gamma().value(), random);
      jitter(readOut.beta().value(), random);
    }
    jitter(readOut.bias().value(), random);
  }

  TunedModel tuned() {
    return TunedModel.of(tail());
  }

  TunedTail tail() {
    return TunedTail.of(pooling, parameters, withNorm);
  }

  /**
   * [batch, classes], or [batch, tokens, classes] without pooling, as the training-time path
   * computes them: trunk, norm, pooling, head.
   */
  Tensor logits(Map<String, Tensor> inputs, int batch, Arena arena) {
    Trunk trunk = backbone.openTrunk(1, List.of());
    List<Tensor> results = new ArrayList<>();
    for (TrunkOutput output : trunk.outputs()) {
      long[] shape = output.shape(batch, Fixtures.TEXT_TOKENS);
      results.add(Fixtures.zeros(arena, DType.F32, shape));
    }
    trunk.run(inputs, batch, results);
    Tensor last = results.get(trunk.finalInput());
    TokenLayout layout =
        last.shape().rank() == 2
            ? new TokenLayout(batch, 1, 0, 0, 0)
            : Fixtures.layout(backbone, batch);
    Tensor rows = last.view(last.shape().rows(), last.dim(-1));
    Tensor memory =
        Fixtures.zeros(arena, DType.F32, Slab.measure(slab -> readOut.state(slab, layout)));
    ReadOut.State state = readOut.state(new Slab(memory), layout);
    Tensor valid = Fixtures.valid(inputs, arena);
    readOut.forward(device.kernels(), rows, layout, valid, state);
    Tensor logits = state.logits();
    return pooling == Pooling.TOKENS
        ? logits.view(batch, logits.dim(0) / batch, logits.dim(1))
        : logits;
  }

  @Override
  public void close() {
    parameters.close();
    device.close();
  }

  private static void jitter(Tensor tensor, Random random) {
    for (long i = 0; i < tensor.size(); i++) {
      tensor.set(i, tensor.get(i) + 0.3f * (float) random.nextGaussian());
    }
  }
}
