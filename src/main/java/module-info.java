/**
 * Adapts a pretrained ONNX model to a task by masked dual path distillation with a fading side
 * network.
 *
 * <p>{@code dev.sidefade} is the short way; {@code kernels} is a library of operations over one's
 * own buffers; {@code onnx} reads, changes and writes models. Backends are not exported: they are
 * found through {@code DeviceProvider}; {@code cuda} is the layer over the driver, for those who
 * bring kernels of their own, and {@code cuda.embed} the operations on a stream of the caller.
 */
module dev.sidefade {
  requires java.desktop;
  requires java.management;
  requires jdk.management;
  requires ai.djl.tokenizers;
  requires com.google.gson;
  requires com.microsoft.onnxruntime;
  requires info.picocli;
  requires me.tongfei.progressbar;
  // a faster provider of the CPU operations where the application adds it
  requires static jdk.incubator.vector;
  // says to our compiler what may be null; others need nothing of it
  requires static org.jspecify;

  exports dev.sidefade;
  exports dev.sidefade.backbone;
  exports dev.sidefade.cuda;
  exports dev.sidefade.cuda.embed;
  exports dev.sidefade.data;
  exports dev.sidefade.distill;
  exports dev.sidefade.export;
  exports dev.sidefade.kernels;
  exports dev.sidefade.layers;
  exports dev.sidefade.onnx;
  exports dev.sidefade.onnx.gradient;
  exports dev.sidefade.report;
  exports dev.sidefade.side;
  exports dev.sidefade.tensor;
  exports dev.sidefade.text;
  exports dev.sidefade.train;

  opens dev.sidefade.cli to
      info.picocli;

  uses dev.sidefade.kernels.DeviceProvider;

  provides dev.sidefade.kernels.DeviceProvider with
      dev.sidefade.cpu.CpuDeviceProvider,
      dev.sidefade.cuda.ops.CudaDeviceProvider;
}
