package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.ort.BoundMemory;
import dev.sidefade.ort.BoundSession;
import dev.sidefade.ort.BoundType;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SessionsTest {
  private static float[][] logits(OnnxModel model, long limit) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = Sessions.options(1);
        OrtSession session = Sessions.open(model, options, limit);
        OnnxTensor images = OnnxTensor.createTensor(environment, new float[2][3][24][24]);
        OrtSession.Result result = session.run(Map.of("image", images))) {
      return (float[][]) result.get(0).getValue();
    }
  }

  @Test
  void modelsTooLargeForMemoryGoThroughFiles() throws IOException, OrtException {
    for (String name : List.of("vit_timm_external_dynamo20", "vit_timm_legacy14")) {
      OnnxModel model = OnnxModel.read(Golden.model(name + ".onnx"));
      float[][] inMemory = logits(model, Long.MAX_VALUE);
      float[][] throughFiles = logits(model, 0);
      assertEquals(2, inMemory.length);
      assertArrayEquals(inMemory[0], throughFiles[0]);
      assertTrue(Math.abs(inMemory[0][0]) > 1e-3);
    }
  }

  @Test
  void boundSessionsGoThroughTheSameFiles() throws IOException, OrtException {
    OnnxModel model = OnnxModel.read(Golden.model("vit_timm_external_dynamo20.onnx"));
    String output = model.graph().outputs().getFirst().name();
    float[][] expected = logits(model, Long.MAX_VALUE);
    for (long limit : new long[] {0, Long.MAX_VALUE}) {
      try (Arena arena = Arena.ofConfined();
          BoundSession session = Sessions.openBound(model, 1, new BoundMemory.Host(), limit)) {
        Tensor images = Golden.zeros(arena, DType.F32, 2, 3, 24, 24);
        Tensor logits = Golden.zeros(arena, DType.F32, 2, expected[0].length);
        long[] dims = images.shape().toArray();
        session.bindInput("image", images.address(), dims, BoundType.FLOAT, true);
        dims = logits.shape().toArray();
        session.bindOutput(output, logits.address(), dims, BoundType.FLOAT, true);
        session.run();
        assertArrayEquals(expected[0], logits.slice(0, dims[1]).toFloats());
        assertArrayEquals(expected[1], logits.slice(dims[1], dims[1]).toFloats());
      }
    }
  }

  @Test
  void whatOnnxRuntimeRefusesIsBadInput() throws OrtException {
    OnnxModel model = OnnxModel.create(8, 17);
    model.graph().addInput("x", ElementType.FLOAT, 2);
    model.graph().addNode("NoSuchOperator", List.of("x"), List.of("y"));
    model.graph().outputs().add(ValueInfo.untyped("y"));
    try (OrtSession.SessionOptions options = Sessions.options(1)) {
      String message =
          assertThrows(BadInputException.class, () -> Sessions.open(model, options)).getMessage();
      assertTrue(message.contains("NoSuchOperator"), message);
    }
  }

  @Test
  void shapesAreKnownWithoutRunning() throws IOException {
    Map<String, long[]> shapes =
        ShapeInference.infer(OnnxModel.read(Golden.model("vit_timm_legacy14.onnx")));
    assertArrayEquals(new long[] {-1, 32, 3, 3}, shapes.get("/patch_embed/proj/Conv_output_0"));
    assertArrayEquals(new long[] {-1, 10, 32}, shapes.get("/blocks/blocks.2/Add_1_output_0"));
    assertArrayEquals(new long[] {-1, 5}, shapes.get("logits"));
    Map<String, long[]> text =
        ShapeInference.infer(OnnxModel.read(Golden.model("bert_dynamo20.onnx")));
    assertArrayEquals(new long[] {-1, -1, 32}, text.get("layer_norm_2"));
  }
}
