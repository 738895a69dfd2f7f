package dev.sidefade.train;

import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.tensor.Tensor;
import java.util.List;
import java.util.Map;

/** Computes features of inputs: the frozen trunk, or the one whose constants learn. */
public interface FeatureSource {
  /** What comes out; the first ones are the taps of the side network. */
  List<TrunkOutput> outputs();

  /** Which output enters the backbone's last norm. */
  int finalInput();

  /** Fills {@code results}, host tensors of the shapes of {@link #outputs}. */
  void run(Map<String, Tensor> inputs, long batch, List<Tensor> results);

  /** The frozen trunk. */
  static FeatureSource of(Trunk trunk) {
    return new FeatureSource() {
      @Override
      public List<TrunkOutput> outputs() {
        return trunk.outputs();
      }

      @Override
      public int finalInput() {
        return trunk.finalInput();
      }

      @Override
      public void run(Map<String, Tensor> inputs, long batch, List<Tensor> results) {
        trunk.run(inputs, batch, results);
      }
    };
  }
}
