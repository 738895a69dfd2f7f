package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How many words and positions a text backbone knows. */
class EmbeddingTablesTest {
  private static final int WORDS = 50;

  static Stream<Fixture> texts() {
    return Fixture.all().stream().filter(Fixture::text);
  }

  private static Path file(String name) throws URISyntaxException {
    return Path.of(EmbeddingTablesTest.class.getResource("/models/" + name + ".onnx").toURI());
  }

  private static OnnxModel read(String name) throws IOException, URISyntaxException {
    return OnnxModel.read(file(name));
  }

  /** As the exporter configured them; RoBERTa gives two of its 48 rows away. */
  private static int positions(Fixture fixture) {
    return fixture.name().startsWith("bert") ? 40 : fixture.name().startsWith("roberta") ? 46 : 48;
  }

  @ParameterizedTest
  @MethodSource("texts")
  void areFoundInEveryExport(Fixture fixture) throws Exception {
    EmbeddingTables tables = EmbeddingTables.of(read(fixture.name()).graph(), "input_ids");
    assertEquals(OptionalLong.of(WORDS), tables.words());
    assertEquals(OptionalInt.of(positions(fixture)), tables.positions());
  }

  /** ONNX Runtime agrees: what is said to fit runs, and one more does not. */
  @ParameterizedTest
  @MethodSource("texts")
  void areWhatTheModelTakes(Fixture fixture) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setSessionLogLevel(ai.onnxruntime.OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      options.setIntraOpNumThreads(1);
      try (OrtSession session =
          environment.createSession(file(fixture.name()).toString(), options)) {
        int most = positions(fixture);
        assertDoesNotThrow(() -> run(session, most, WORDS - 1));
        assertThrows(OrtException.class, () -> run(session, most + 1, 3));
        assertThrows(OrtException.class, () -> run(session, 4, WORDS));
      }
    }
  }

  private static void run(OrtSession session, int tokens, long id) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    Map<String, OnnxTensor> fed = new LinkedHashMap<>();
    try {
      for (String name : session.getInputNames()) {
        long[] values = new long[tokens];
        Arrays.fill(values, name.equals("input_ids") ? id : name.contains("mask") ? 1 : 0);
        fed.put(
            name,
            OnnxTensor.createTensor(environment, LongBuffer.wrap(values), new long[] {1, tokens}));
      }
      session.run(fed).close();
    } finally {
      fed.values().forEach(OnnxTensor::close);
    }
  }

  @Test
  void otherInputsHaveNoWords() throws Exception {
    EmbeddingTables tables = EmbeddingTables.of(read("bert_legacy17").graph(), "attention_mask");
    assertEquals(OptionalLong.empty(), tables.words());
    EmbeddingTables image = EmbeddingTables.of(read("vit_timm_dynamo20").graph(), "image");
    assertEquals(new EmbeddingTables(OptionalLong.empty(), OptionalInt.empty()), image);
  }

  /** A bias of attention by distance is looked up as well, but in a table of another width. */
  @Test
  void tablesOfAnotherWidthAreNoPositions() throws Exception {
    OnnxModel model = read("bert_legacy17");
    Initializer bias = Initializer.floats("bias", new float[32 * 4], 32, 4);
    Initializer distance = Initializer.longs("distance", new long[] {0, 1}, 2);
    model.graph().initializers().put("bias", bias);
    model.graph().initializers().put("distance", distance);
    model
        .graph()
        .nodes()
        .add(new OnnxNode("by distance", "Gather", List.of("bias", "distance"), List.of("biased")));
    assertEquals(
        new EmbeddingTables(OptionalLong.of(WORDS), OptionalInt.of(40)),
        EmbeddingTables.of(model.graph(), "input_ids"));
  }
}
