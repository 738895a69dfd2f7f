package dev.sidefade.export;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import dev.sidefade.ort.OneEnvironment;
import dev.sidefade.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A model file as its users run it: ONNX Runtime's default options but for the number of threads.
 */
final class OrtModel implements AutoCloseable {
  private final Path file;
  private final OrtSession session;

  private OrtModel(Path file, OrtSession session) {
    this.file = file;
    this.session = session;
  }

  /**
   * Opens a file.
   *
   * @param threads threads that compute one operator; 0 leaves the choice to ONNX Runtime
   * @throws IllegalStateException if ONNX Runtime does not take it
   */
  static OrtModel open(Path file, int threads) {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      // threads may spin while a model runs but must not take the cores from the model that runs
      // next
      options.addConfigEntry("session.force_spinning_stop", "1");
      OrtEnvironment environment = OneEnvironment.get();
      return new OrtModel(file, environment.createSession(file.toString(), options));
    } catch (OrtException e) {
      throw failed(file, e);
    }
  }

  /** The inputs, without a copy; to be closed by the caller before the tensors are. */
  static Inputs inputs(Map<String, Tensor> tensors) {
    Map<String, OnnxTensor> handles = new LinkedHashMap<>();
    Inputs inputs = new Inputs(handles);
    try {
      for (Map.Entry<String, Tensor> tensor : tensors.entrySet()) {
        handles.put(tensor.getKey(), handle(tensor.getValue()));
      }
      return inputs;
    } catch (OrtException e) {
      inputs.close();
      throw new IllegalStateException("ONNX Runtime does not take the input: " + e.getMessage(), e);
    }
  }

  /** What is fed to a model. */
  record Inputs(Map<String, ? extends OnnxTensorLike> handles) implements AutoCloseable {
    @Override
    public void close() {
      handles.values().forEach(OnnxTensorLike::close);
    }
  }

  /** Name of the first output; exported models have no other. */
  String firstOutput() {
    return session.getOutputNames().iterator().next();
  }

  /** Computes everything and throws it away. */
  void run(Inputs inputs) {
    try {
      session.run(inputs.handles()).close();
    } catch (OrtException e) {
      throw failed(file, e);
    }
  }

  /** The elements of an output of floats, row-major. */
  float[] output(Inputs inputs, String name) {
    try (OrtSession.Result result = session.run(inputs.handles())) {
      OnnxTensor output = (OnnxTensor) result.get(name).orElseThrow();
      FloatBuffer buffer = output.getFloatBuffer();
      float[] values = new float[buffer.remaining()];
      buffer.get(values);
      return values;
    } catch (OrtException e) {
      throw failed(file, e);
    }
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw failed(file, e);
    }
  }

  private static OnnxTensor handle(Tensor tensor) throws OrtException {
    ByteBuffer bytes = tensor.segment().asByteBuffer().order(ByteOrder.nativeOrder());
    long[] dims = tensor.shape().toArray();
    OrtEnvironment environment = OneEnvironment.get();
    return switch (tensor.dtype()) {
      case I64 -> OnnxTensor.createTensor(environment, bytes.asLongBuffer(), dims);
      case I32 -> OnnxTensor.createTensor(environment, bytes.asIntBuffer(), dims);
      default -> OnnxTensor.createTensor(environment, bytes.asFloatBuffer(), dims);
    };
  }

  private static IllegalStateException failed(Path file, OrtException e) {
    return new IllegalStateException(
        "ONNX Runtime cannot run " + file.getFileName() + ": " + e.getMessage(), e);
  }
}
