package dev.sidefade.train;

import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.tensor.Tensor;
import java.util.List;
import java.util.Map;

/** Computes features of inputs: the frozen trunk, or the one whose constants learn. */
public interface FeatureSource {
  /** {@return what comes out; the first ones are the taps of the side network} */
  List<TrunkOutput> outputs();

  /** {@return which output enters the backbone's last norm} */
  int finalInput();

  /**
   * Fills {@code results}, host tensors of the shapes of {@link #outputs}.
   *
   * @param inputs host tensors by the names of the inputs
   * @param batch number of examples
   * @param results host tensors that are filled, in the order of the outputs
   */
  void run(Map<String, Tensor> inputs, long batch, List<Tensor> results);

  /**
   * {@return the frozen trunk}
   *
   * @param trunk stays open as long as this is used
   */
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
