package dev.sidefade.backbone;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import dev.sidefade.kernels.CudaQueue;
import dev.sidefade.ort.BoundSession;
import dev.sidefade.ort.OneEnvironment;
import java.util.Optional;

/** Where a {@link BoundTrunk} computes, and where its outputs may lie. */
public sealed interface TapMemory {
  /** The host's memory; the processors compute. */
  record Host() implements TapMemory {}

  /**
   * A GPU's memory; ONNX Runtime's CUDA provider computes, in the order of a stream.
   *
   * @param queue the GPU and the stream
   */
  record Cuda(CudaQueue queue) implements TapMemory {}

  /**
   * {@return why no trunk can be bound to this memory with the ONNX Runtime that is there, in one
   * sentence without an end; empty where one can}
   */
  default Optional<String> unavailable() {
    return BoundSession.unavailable()
        .or(() -> this instanceof Cuda ? cudaProviderMissing() : Optional.empty());
  }

  /** {@return why ONNX Runtime cannot compute on any GPU; empty where it can, if there is one} */
  static Optional<String> cudaUnavailable() {
    return BoundSession.unavailable().or(TapMemory::cudaProviderMissing);
  }

  private static Optional<String> cudaProviderMissing() {
    if (!OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA)) {
      return Optional.of(
          "ONNX Runtime "
              + OneEnvironment.get().getVersion()
              + " comes without its CUDA provider (the artifact onnxruntime_gpu has it)");
    }
    // its Java API unpacks the provider's library when options for it are made, and loads it
    try (OrtCUDAProviderOptions options = new OrtCUDAProviderOptions()) {
      return options.isClosed() ? Optional.of("its options are closed") : Optional.empty();
    } catch (OrtException | LinkageError e) {
      return Optional.of(
          "ONNX Runtime cannot load its CUDA provider: "
              + String.valueOf(e.getMessage()).lines().findFirst().orElse("no reason given"));
    }
  }
}
