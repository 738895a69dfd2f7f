package dev.sidefade;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.ort.OneEnvironment;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.train.FeatureSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** An exported text model as something that computes logits; its only output. */
final class TextModel implements FeatureSource, AutoCloseable {
  private final OrtEnvironment environment = OneEnvironment.get();
  private final Path file;
  private final OrtSession session;
  private final Map<String, DType> inputs;
  private final TrunkOutput logits;

  private TextModel(Path file, OrtSession session, Map<String, DType> inputs, TrunkOutput logits) {
    this.file = file;
    this.session = session;
    this.inputs = inputs;
    this.logits = logits;
  }

  /**
   * Opens a model.
   *
   * @param perToken whether the logits are [batch, tokens, classes] rather than [batch, classes]
   */
  static TextModel open(Path file, int threads, boolean perToken, int classes) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setMemoryPatternOptimization(false);
      OrtSession session = OneEnvironment.get().createSession(file.toString(), options);
      String output = session.getOutputNames().iterator().next();
      return new TextModel(
          file, session, inputs(session), new TrunkOutput(output, perToken, -1, classes));
    }
  }

  private static Map<String, DType> inputs(OrtSession session) throws OrtException {
    Map<String, DType> inputs = new LinkedHashMap<>();
    session
        .getInputInfo()
        .forEach((name, info) -> {
          boolean narrow = ((TensorInfo) info.getInfo()).type == OnnxJavaType.INT32;
          inputs.put(name, narrow ? DType.I32 : DType.I64);
        });
    return inputs;
  }

  /** Types of the inputs by name. */
  Map<String, DType> inputs() {
    return inputs;
  }

  @Override
  public List<TrunkOutput> outputs() {
    return List.of(logits);
  }

  @Override
  public int finalInput() {
    return 0;
  }

  @Override
  public void run(Map<String, Tensor> inputs, long batch, List<Tensor> results) {
    Map<String, OnnxTensor> fed = new LinkedHashMap<>();
    try (OnnxTensor result = tensor(results.getFirst())) {
      for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
        fed.put(input.getKey(), tensor(input.getValue()));
      }
      session.run(fed, Set.of(), Map.of(logits.value(), result)).close();
    } catch (OrtException e) {
      throw new IllegalStateException(
          "ONNX Runtime failed on "
              + file
              + ": "
              + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
          e);
    } finally {
      fed.values().forEach(OnnxTensor::close);
    }
  }

  private OnnxTensor tensor(Tensor tensor) throws OrtException {
    ByteBuffer bytes = tensor.segment().asByteBuffer().order(ByteOrder.nativeOrder());
    long[] dims = tensor.shape().toArray();
    return switch (tensor.dtype()) {
      case I64 -> OnnxTensor.createTensor(environment, bytes.asLongBuffer(), dims);
      case I32 -> OnnxTensor.createTensor(environment, bytes.asIntBuffer(), dims);
      default -> OnnxTensor.createTensor(environment, bytes.asFloatBuffer(), dims);
    };
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException("ONNX Runtime failed to close " + file, e);
    }
  }
}
