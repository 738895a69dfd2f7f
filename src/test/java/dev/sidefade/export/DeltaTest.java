package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

  @Test
  void onlyWhatChangedIsInIt() throws IOException {
    Path base = Fixtures.model("vit_timm_dynamo20");
    export(base, Pooling.CLS_MEAN, true, folder);
    Safetensors.Content content = Safetensors.read(folder.resolve("delta.safetensors"));
    assertEquals(
        Set.of("norm.scale", "norm.shift", "head.weight", "head.bias"), content.tensors().keySet());
    int width = content.tensors().get("norm.scale").values().length;
    assertArrayEquals(new long[] {2 * width, 3}, content.tensors().get("head.weight").dims());
    assertEquals(Hashes.ofFile(base), content.metadata().get("sidefade.base_sha256"));
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
    assertTrue(message.contains(Hashes.ofFile(base)), message);
    assertTrue(message.contains(Hashes.ofFile(other)), message);
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
      Export.write(FadedModel.build(backbone, trained.tail(), card), out.resolve("model.onnx"));
      Delta.write(out.resolve("delta.safetensors"), backbone, trained.tail(), card);
    }
  }

  private static void assertSameBytes(Path expected, Path actual) throws IOException {
    assertEquals(-1, Files.mismatch(expected, actual), actual.toString());
  }
}
