package dev.sidefade.train;

import dev.sidefade.backbone.BoundTrunk;
import dev.sidefade.backbone.TapMemory;
import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.kernels.CudaQueue;
import dev.sidefade.kernels.Device;
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
   * Fills {@code results}, tensors of the shapes of {@link #outputs}, on the host unless {@link
   * #onDevice}.
   *
   * @param inputs host tensors by the names of the inputs
   * @param batch number of examples
   * @param results tensors that are filled, in the order of the outputs
   */
  void run(Map<String, Tensor> inputs, long batch, List<Tensor> results);

  /**
   * {@return whether results are tensors of the training's device, filled in the order of its
   * operations, rather than of the host}
   */
  default boolean onDevice() {
    return false;
  }

  /**
   * {@return the frozen trunk, computed on a GPU}
   *
   * @param trunk bound to the stream of {@code device}
   * @param device whose operations read the results
   */
  static FeatureSource of(BoundTrunk trunk, Device device) {
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
      public boolean onDevice() {
        return true;
      }

      @Override
      public void run(Map<String, Tensor> inputs, long batch, List<Tensor> results) {
        // what the device holds back comes first
        CudaQueue queue = device.queue().orElseThrow();
        if (!trunk.memory().equals(new TapMemory.Cuda(queue))) {
          throw new IllegalStateException(
              "the trunk is bound to " + trunk.memory() + ", but the device works on " + queue);
        }
        trunk.run(inputs, batch, results);
      }
    };
  }

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
