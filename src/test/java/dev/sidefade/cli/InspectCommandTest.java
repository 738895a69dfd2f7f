package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxModel;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What inspect finds, and what it refuses. */
class InspectCommandTest {
  @TempDir private Path folder;

  private static String resource(String name) {
    URL url = InspectCommandTest.class.getResource(name);
    try {
      return Path.of(url.toURI()).toString();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static JsonObject inspect(String file) {
    Cli.Outcome outcome = Cli.run("inspect", file, "--json");
    assertEquals(0, outcome.code(), outcome.err());
    assertEquals("", outcome.err());
    return JsonParser.parseString(outcome.out()).getAsJsonObject();
  }

  private Path demo() throws IOException {
    DemoFolder demo = new DemoFolder(folder.resolve("demo"));
    demo.prepare();
    return demo.data().resolve(DemoSettings.BACKBONE);
  }

  @Test
  void theDemosBackboneIsDescribed() throws IOException {
    JsonObject json = inspect(demo().toString());
    assertEquals(1204397, json.get("parameters").getAsLong());
    assertEquals(18, json.getAsJsonObject("opsets").get("ai.onnx").getAsLong());
    assertEquals(
        "[\"batch\",1,28,28]",
        json.getAsJsonArray("inputs").get(0).getAsJsonObject().get("shape").toString());
    assertTrue(json.get("problem").isJsonNull());
    JsonObject backbone = json.getAsJsonObject("backbone");
    assertEquals("pre-norm", backbone.get("kind").getAsString());
    assertEquals(13, backbone.getAsJsonArray("norms").size());
    JsonArray taps = backbone.getAsJsonArray("taps");
    assertEquals(7, taps.size());
    JsonObject last = taps.get(6).getAsJsonObject();
    assertEquals(
        "{\"index\":6,\"value\":\"blocks.5.output\",\"tokens\":17,\"width\":128}", last.toString());
    assertEquals("cls", backbone.getAsJsonObject("read_out").get("kind").getAsString());
    assertEquals(45, backbone.getAsJsonObject("head").get("classes").getAsLong());
    assertEquals(4, backbone.getAsJsonObject("grid").get("width").getAsLong());
    assertEquals(
        28, backbone.getAsJsonObject("preprocessing").getAsJsonArray("size").get(0).getAsInt());
    assertEquals(64, backbone.get("sha256").getAsString().length());
  }

  @ParameterizedTest
  @CsvSource({
    "vit_timm_legacy14, pre-norm, decomposed",
    "vit_timm_dynamo20, pre-norm, operator",
    "vit_timm_external_dynamo20, pre-norm, operator",
    "bert_legacy14, post-norm, decomposed",
    "bert_dynamo20, post-norm, operator"
  })
  void exportsOfSeveralToolsAreDescribed(String model, String kind, String form) {
    JsonObject backbone =
        inspect(resource("/models/" + model + ".onnx")).getAsJsonObject("backbone");
    assertEquals(kind, backbone.get("kind").getAsString());
    assertEquals(
        form, backbone.getAsJsonArray("norms").get(0).getAsJsonObject().get("form").getAsString());
    assertEquals(model.startsWith("bert"), backbone.get("preprocessing").isJsonNull());
  }

  @Test
  void theTableForPeopleTellsTheSame() throws IOException {
    Cli.Outcome outcome = Cli.run("inspect", demo().toString());
    assertEquals(0, outcome.code(), outcome.err());
    for (String part :
        List.of(
            "1,204,397 parameters",
            "image: FLOAT batch x 1 x 28 x 28",
            "pre-norm",
            "batch x 17 x 128  blocks.5.output",
            "128 features to 45 classes")) {
      assertTrue(outcome.out().contains(part), part + "\n" + outcome.out());
    }
  }

  @Test
  void aModelWithoutTapsIsShownWithTheReason() throws IOException {
    String optimised = resource("/models/bert_legacy17_ort.onnx");
    JsonObject json = inspect(optimised);
    assertTrue(json.get("backbone").isJsonNull());
    assertTrue(json.get("problem").getAsString().contains("optimised"), json.toString());
    assertTrue(Cli.run("inspect", optimised).out().contains("Cannot be adapted: "));

    OnnxModel model = OnnxModel.create(8, 17);
    model.graph().addInput("x", ElementType.FLOAT, "n", 3L);
    model.graph().addNode("Relu", List.of("x"), List.of("y"));
    model.graph().addOutput("y", ElementType.FLOAT, "n", 3L);
    model.metadata().put("sidefade.labels", "[\"a\",\"ü\"]");
    Path small = folder.resolve("small.onnx");
    model.write(small);
    JsonObject none = inspect(small.toString());
    assertFalse(none.get("problem").getAsString().isBlank());
    assertEquals(
        "[\"a\",\"ü\"]", none.getAsJsonObject("metadata").get("sidefade.labels").getAsString());
    assertTrue(
        Cli.run("inspect", small.toString()).out().contains("sidefade.labels = [\"a\",\"ü\"]"));
  }

  @Test
  void whatIsNoModelIsRefused() throws IOException {
    assertTrue(Cli.run("inspect", "not-there.onnx").refusal().contains("not-there.onnx"));
    assertTrue(Cli.run("inspect", folder.toString()).refusal().contains(folder.toString()));
    Path empty = Files.createFile(folder.resolve("empty.onnx"));
    assertTrue(Cli.run("inspect", empty.toString()).refusal().contains("empty"));
    Path text =
        Files.writeString(folder.resolve("text.onnx"), "this is no model, whatever its name says");
    assertTrue(Cli.run("inspect", text.toString(), "--json").refusal().contains("text.onnx"));
    Path moved = folder.resolve("moved.onnx");
    Files.copy(Path.of(resource("/models/vit_timm_external_dynamo20.onnx")), moved);
    assertTrue(
        Cli.run("inspect", moved.toString())
            .refusal()
            .contains("vit_timm_external_dynamo20.onnx.data"));
    assertTrue(Cli.run("inspect").refusal().contains("M.onnx"));
  }

  /**
   * Truncated anywhere and with any byte wrong, a model is described or refused, and never anything
   * else.
   */
  @Test
  void brokenModelsNeverFailInAnotherWay() throws IOException {
    byte[] whole;
    try (InputStream in =
        InspectCommandTest.class.getResourceAsStream("/models/vit_timm_eager_dynamo20.onnx")) {
      whole = in.readAllBytes();
    }
    Random random = new Random(5);
    Path broken = folder.resolve("broken.onnx");
    for (int run = 0; run < 40; run++) {
      byte[] bytes =
          java.util.Arrays.copyOf(
              whole, run % 2 == 0 ? random.nextInt(1, whole.length) : whole.length);
      if (run % 2 == 1) {
        bytes[random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(8));
      }
      Files.write(broken, bytes);
      Cli.Outcome outcome = Cli.run("inspect", broken.toString());
      assertTrue(outcome.code() == 0 || outcome.code() == 2, outcome.err());
      if (outcome.code() == 2) {
        outcome.refusal();
      }
    }
  }
}
