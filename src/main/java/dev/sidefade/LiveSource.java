package dev.sidefade;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.BoundTrunk;
import dev.sidefade.backbone.TapMemory;
import dev.sidefade.backbone.TrunkSpec;
import dev.sidefade.kernels.CudaQueue;
import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Closer;
import dev.sidefade.train.FeatureSource;
import java.util.Optional;
import java.util.function.Consumer;

/** What computes the features of a frozen backbone that are needed anew in every step. */
final class LiveSource {
  private LiveSource() {}

  /**
   * The backbone on the device that trains, where that is a GPU and ONNX Runtime can compute on it;
   * otherwise {@code host}.
   *
   * @param closer gets what is opened here, behind the device
   * @param note hears which of the two it is on a GPU, and why
   */
  static FeatureSource of(
      Backbone backbone,
      TrunkSpec spec,
      FeatureSource host,
      Device device,
      Closer closer,
      Consumer<String> note) {
    Optional<CudaQueue> queue = device.queue();
    if (queue.isEmpty()) {
      return host;
    }
    TapMemory gpu = new TapMemory.Cuda(queue.get());
    Optional<String> reason = gpu.unavailable();
    if (reason.isEmpty()) {
      try {
        BoundTrunk trunk = closer.add(BoundTrunk.open(backbone, spec, gpu));
        note.accept("The frozen backbone runs on the GPU, where its taps stay.");
        return FeatureSource.of(trunk, device);
      } catch (IllegalStateException e) {
        reason = Optional.of(String.valueOf(e.getMessage()));
      }
    }
    note.accept(
        "The frozen backbone runs on the CPU, and its taps go through host memory: "
            + reason.get()
            + ".");
    return host;
  }
}
