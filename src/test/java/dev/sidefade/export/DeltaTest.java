package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A delta and its base give the exported model; nothing else does. */
class DeltaTest {
  @TempDir Path folder;

  private static Stream<String> names() {
    return Fixtures.imagesAndTexts();
  }

  @ParameterizedTest
  @MethodSource("names")
  void appliedToItsBaseItGivesTheExportedModel(String name) throws IOException {
    for (Pooling pooling : Pooling.values()) {
      Path out = folder.resolve(name + pooling);
      Files.createDirectories(out.resolve("applied"));
      export(Fixtures.model(name), pooling, pooling != Pooling.MEAN, out);
      Path applied = out.resolve("applied/model.onnx");
      Delta.apply(Fixtures.model(name), out.resolve("delta.safetensors"), applied);
      assertSameBytes(out.resolve("model.onnx"), applied);
      Path data = out.resolve("model.onnx.data");
      assertEquals(name.contains("external"), Files.exists(data), name);
      if (Files.exists(data)) {
        assertSameBytes(data, out.resolve("applied/model.onnx.data"));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void constantsAndLowRankChangesTooGiveTheExportedModel(String name) throws IOException {
    Path base = Fixtures.model(name);
    Files.createDirectories(folder.resolve("applied"));
    for (int rank : new int[] {0, 2}) {
      exportInside(base, Pooling.CLS_MEAN, rank, folder);
      Path applied = folder.resolve("applied/model.onnx");
      Delta.apply(base, folder.resolve("delta.safetensors"), applied);
      assertSameBytes(folder.resolve("model.onnx"), applied);
      Path data = folder.resolve("model.onnx.data");
      if (Files.exists(data)) {
        assertSameBytes(data, folder.resolve("applied/model.onnx.data"));
      }
    }
  }

  @Test
  void aLowRankChangeIsStoredAsItsFactors() throws IOException {
    Path base = Fixtures.demo();
    exportInside(base, Pooling.CLS_MEAN, 2, folder);
    Path delta = folder.resolve("delta.safetensors");
    Safetensors.Content content = Safetensors.read(delta);
    assertEquals("2", content.metadata().get("sidefade.delta"));
    long[] a = content.tensors().get("sidefade.linear.0.a").dims();
    long[] b = content.tensors().get("sidefade.linear.0.b").dims();
    assertEquals(2, a[1]);
    assertEquals(2, b[0]);
    assertTrue(content.tensors().containsKey("sidefade.norm.0.scale"));
    assertTrue(content.tensors().containsKey("sidefade.linear.0.bias"));
    assertFalse(content.tensors().containsKey("sidefade.linear.0.weight"));
    long model = Files.size(folder.resolve("model.onnx"));
    assertTrue(Files.size(delta) < model / 8, Files.size(delta) + " of " + model);
  }

  @Test
  void filesOfTheFirstVersionStillApply() throws IOException {
    Path base = Fixtures.model("bert_legacy17");
    export(base, Pooling.MEAN, true, folder);
    Path delta = folder.resolve("delta.safetensors");
    Safetensors.Content content = Safetensors.read(delta);
    assertEquals("1", content.metadata().get("sidefade.delta"));
    assertEquals(
        Set.of("norm.scale", "norm.shift", "head.weight", "head.bias"), content.tensors().keySet());
    Delta.apply(base, delta, folder.resolve("applied.onnx"));
    assertSameBytes(folder.resolve("model.onnx"), folder.resolve("applied.onnx"));
  }

  @Test
  void constantsThatDoNotFitAreRefused() throws IOException {
    Path base = Fixtures.model("vit_timm_dynamo20");
    exportInside(base, Pooling.CLS, 2, folder);
    Safetensors.Content good = Safetensors.read(folder.resolve("delta.safetensors"));
    Path bad = folder.resolve("bad.safetensors");
    String[] names = {
      "sidefade.norm.0.scale",
      "sidefade.linear.0.bias",
      "sidefade.linear.0.a",
      "sidefade.linear.1.b"
    };
    for (String name : names) {
      long[] dims = good.tensors().get(name).dims();
      List<long[]> others = new ArrayList<>(List.of(new long[] {0}, new long[] {3, 3}));
      others.add(new long[] {dims[0] + 1, dims.length == 1 ? 1 : dims[1]});
      others.add(new long[] {dims[0], dims.length == 1 ? 1 : dims[1] + 1});
      others.add(new long[] {dims[0] - 1});
      others.add(new long[] {0, 1L << 40});
      others.add(new long[] {1L << 40, 0});
      others.add(new long[] {});
      for (long[] other : others) {
        Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>(good.tensors());
        int size = 1;
        for (long dim : other) {
          size *= (int) dim;
        }
        tensors.put(name, new Safetensors.Entry(new float[size], other));
        Safetensors.write(bad, tensors, good.metadata());
        refusal(base, bad);
      }
    }
    for (String unknown :
        List.of(
            "other",
            ".a",
            "a",
            "",
            "norm.bias",
            "sidefade.norm.0",
            "sidefade.norm.99.scale",
            "sidefade.linear.0.weight",
            "sidefade.linear.0.c",
            "sidefade.linear.99.bias",
            "sidefade.linear.00.a")) {
      Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>(good.tensors());
      tensors.put(unknown, new Safetensors.Entry(new float[4], 2, 2));
      Safetensors.write(bad, tensors, good.metadata());
      refusal(base, bad);
    }
    for (String factor : List.of("sidefade.linear.0.a", "sidefade.linear.0.b")) {
      Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>(good.tensors());
      tensors.remove(factor);
      Safetensors.write(bad, tensors, good.metadata());
      refusal(base, bad);
    }
    Map<String, String> texts = new LinkedHashMap<>(good.metadata());
    for (String version : List.of("1", "3", "")) {
      texts.put("sidefade.delta", version);
      Safetensors.write(bad, good.tensors(), texts);
      refusal(base, bad);
    }
    byte[] bytes = Files.readAllBytes(folder.resolve("delta.safetensors"));
    Random random = new Random(6);
    for (int round = 0; round < 50; round++) {
      Files.write(bad, Arrays.copyOf(bytes, random.nextInt(bytes.length)));
      refusal(base, bad);
    }
  }

  @Test
  void onlyWhatChangedIsInIt() throws IOException {
    Path base = Fixtures.model("vit_timm_dynamo20");
    export(base, Pooling.CLS_MEAN, true, folder);
    Safetensors.Content content = Safetensors.read(folder.resolve("delta.safetensors"));
    assertEquals(
        Set.of("norm.scale", "norm.shift", "head.weight", "head.bias"), content.tensors().keySet());
    int width = content.tensors().get("norm.scale").values().length;
    assertArrayEquals(new long[] {2 * width, 3}, content.tensors().get("head.weight").dims());
    assertEquals(Sha256.ofFile(base), content.metadata().get("sidefade.base_sha256"));
    export(base, Pooling.CLS, false, folder);
    content = Safetensors.read(folder.resolve("delta.safetensors"));
    assertEquals(Set.of("head.weight", "head.bias"), content.tensors().keySet());
  }

  @Test
  void anotherBaseIsRefusedNamingBothHashes() throws IOException {
    Path base = Fixtures.model("vit_timm_dynamo20");
    Path other = Fixtures.model("vit_timm_dynamo18");
    export(base, Pooling.CLS, true, folder);
    String message = refusal(other, folder.resolve("delta.safetensors"));
    assertTrue(message.contains(Sha256.ofFile(base)), message);
    assertTrue(message.contains(Sha256.ofFile(other)), message);
  }

  @Test
  void otherDataBesideTheBaseAreRefused() throws IOException {
    Path original = Fixtures.model("vit_timm_external_dynamo20");
    export(original, Pooling.CLS, true, folder);
    Path base = folder.resolve(original.getFileName());
    Files.copy(original, base);
    byte[] data = Files.readAllBytes(original.resolveSibling(original.getFileName() + ".data"));
    data[data.length / 2] ^= 1;
    Files.write(folder.resolve(original.getFileName() + ".data"), data);
    String message = refusal(base, folder.resolve("delta.safetensors"));
    assertTrue(message.contains("the data beside"), message);
  }

  @Test
  void theDataBesideTheBaseAreNotOverwritten() throws IOException {
    Path original = Fixtures.model("vit_timm_external_dynamo20");
    String name = String.valueOf(original.getFileName());
    Path data = folder.resolve(name + ".data");
    byte[] bytes = Files.readAllBytes(original.resolveSibling(name + ".data"));
    Files.write(data, bytes);
    Path base = Files.copy(original, folder.resolve("base.onnx"));
    Path exported = Files.createDirectory(folder.resolve("exported"));
    export(base, Pooling.CLS, true, exported);
    Path delta = exported.resolve("delta.safetensors");
    BadInputException e =
        assertThrows(BadInputException.class, () -> Delta.apply(base, delta, folder.resolve(name)));
    assertTrue(e.getMessage().contains("would be overwritten"), e.getMessage());
    assertArrayEquals(bytes, Files.readAllBytes(data));
    assertFalse(Files.exists(folder.resolve(name)));
    Delta.apply(base, delta, folder.resolve("other.onnx"));
    assertArrayEquals(bytes, Files.readAllBytes(data));
  }

  /** A tensor of a node, or of a graph nested in one, lies outside just as an initializer does. */
  @Test
  void dataOfNestedTensorsAreNotOverwritten() throws IOException {
    Path file = folder.resolve("m.onnx");
    OnnxModel written = OnnxModel.create(8, 17);
    written.graph().addInitializer(Initializer.floats("t", new float[1 << 10], 1 << 10));
    written.write(file, true);
    Path data = folder.resolve("m.onnx.data");
    byte[] bytes = Files.readAllBytes(data);
    Initializer outside = OnnxModel.read(file).graph().initializers().get("t");
    for (boolean nested : new boolean[] {false, true}) {
      OnnxModel model = OnnxModel.create(8, 17);
      OnnxGraph inner = new OnnxGraph("inner");
      OnnxGraph holder = nested ? inner : model.graph();
      holder.addNode("Constant", List.of(), List.of("c"), Attribute.tensor("value", outside));
      inner.addNode("Relu", List.of("c"), List.of("z"));
      inner.addOutput("z", ElementType.FLOAT);
      model.graph().addInput("x", ElementType.BOOL);
      model
          .graph()
          .addNode(
              "If",
              List.of("x"),
              List.of("y"),
              Attribute.graph("then_branch", inner),
              Attribute.graph("else_branch", inner));
      model.graph().addOutput("y", ElementType.FLOAT);
      BadInputException e = assertThrows(BadInputException.class, () -> Export.write(model, file));
      assertTrue(e.getMessage().contains("would be overwritten"), e.getMessage());
      assertArrayEquals(bytes, Files.readAllBytes(data));
    }
  }

  @Test
  void aBaseCanBeReplacedByItsFadedModel() throws IOException {
    Path base = folder.resolve("base.onnx");
    Files.copy(Fixtures.model("vit_hf_legacy14"), base, StandardCopyOption.REPLACE_EXISTING);
    export(base, Pooling.CLS_MEAN, true, folder);
    Delta.apply(base, folder.resolve("delta.safetensors"), base);
    assertSameBytes(folder.resolve("model.onnx"), base);
  }

  @Test
  void filesThatAreNoDeltaAreRefused() throws IOException {
    Path base = Fixtures.model("vit_timm_dynamo20");
    export(base, Pooling.CLS, true, folder);
    Path delta = folder.resolve("delta.safetensors");
    Safetensors.Content good = Safetensors.read(delta);
    Path bad = folder.resolve("bad.safetensors");
    for (String tensor : good.tensors().keySet()) {
      Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>(good.tensors());
      tensors.remove(tensor);
      Safetensors.write(bad, tensors, good.metadata());
      refusal(base, bad);
      tensors.put(tensor, new Safetensors.Entry(new float[15], 15));
      Safetensors.write(bad, tensors, good.metadata());
      refusal(base, bad);
    }
    for (String key : good.metadata().keySet()) {
      if (!key.equals("sidefade.preprocessing")) {
        Map<String, String> texts = new LinkedHashMap<>(good.metadata());
        texts.put(key, "nonsense");
        Safetensors.write(bad, good.tensors(), texts);
        if (!key.equals("sidefade.version")) {
          refusal(base, bad);
        }
        texts.remove(key);
        Safetensors.write(bad, good.tensors(), texts);
        refusal(base, bad);
      }
    }
    refusal(base, base);
    refusal(base, folder.resolve("missing"));
    refusal(folder.resolve("missing"), delta);
    refusal(folder, delta);
    Files.write(bad, List.of("no model"));
    refusal(bad, delta);
    assertThrows(
        BadInputException.class, () -> Delta.apply(base, delta, folder.resolve("no/such/m.onnx")));
  }

  /** Nothing may be written by a refused application. */
  private String refusal(Path base, Path delta) {
    Path out = folder.resolve("refused.onnx");
    BadInputException refused =
        assertThrows(BadInputException.class, () -> Delta.apply(base, delta, out));
    assertFalse(Files.exists(out));
    assertFalse(refused.getMessage().contains("\n"), refused.getMessage());
    return refused.getMessage();
  }

  private static void export(Path base, Pooling pooling, boolean withNorm, Path out)
      throws IOException {
    try (Backbone backbone = Backbone.load(base);
        TrainedTail trained = new TrainedTail(backbone, pooling, 3, withNorm, 21)) {
      ModelCard card = Cards.of(backbone);
      Export.write(FadedModel.build(backbone, trained.tuned(), card), out.resolve("model.onnx"));
      Delta.write(out.resolve("delta.safetensors"), backbone, trained.tuned(), card);
    }
  }

  /** Norms, biases and low-rank changes too; rank 0 for none of the latter. */
  private static void exportInside(Path base, Pooling pooling, int rank, Path out)
      throws IOException {
    try (Backbone backbone = Backbone.load(base);
        TrainedTail trained = new TrainedTail(backbone, pooling, 3, true, 21)) {
      TunedModel tuned = TunedInside.of(backbone, trained.tail(), rank, 8);
      ModelCard card = Cards.of(backbone);
      Export.write(FadedModel.build(backbone, tuned, card), out.resolve("model.onnx"));
      Delta.write(out.resolve("delta.safetensors"), backbone, tuned, card);
    }
  }

  private static void assertSameBytes(Path expected, Path actual) throws IOException {
    assertEquals(-1, Files.mismatch(expected, actual), actual.toString());
  }
}
