package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PreprocessingTest {
  @TempDir private Path folder;

  private Preprocessing read(String json, Map<String, String> metadata) throws IOException {
    if (json != null) {
      Files.writeString(folder.resolve("m.json"), json);
    }
    return PreprocessingReader.read(folder.resolve("m.onnx"), metadata, 3, 24, 32);
  }

  private String refusal(String json) {
    return assertThrows(BadInputException.class, () -> read(json, Map.of())).getMessage();
  }

  @Test
  void nothingSaidMeansOneHalf() throws IOException {
    Preprocessing read = read(null, Map.of());
    assertEquals(Preprocessing.standard(3, 24, 32), read);
    assertArrayEquals(new float[] {0.5f, 0.5f, 0.5f}, read.mean());
    assertEquals(1, read.crop());
  }

  @Test
  void theJsonBesideTheModelBeatsItsMetadata() throws IOException {
    String metadata =
        new Preprocessing(
                3,
                24,
                32,
                new float[] {0.1f},
                new float[] {0.2f},
                Preprocessing.Resize.BICUBIC,
                true,
                0.9)
            .toJson();
    Map<String, String> properties = Map.of("sidefade.preprocessing", metadata);
    assertEquals(0.9, read(null, properties).crop());
    assertArrayEquals(new float[] {0.1f, 0.1f, 0.1f}, read(null, properties).mean());
    Preprocessing read =
        read("{\"preprocessing\": {\"mean\": [0.4, 0.5, 0.6], \"std\": 0.25}}", properties);
    assertArrayEquals(new float[] {0.4f, 0.5f, 0.6f}, read.mean());
    assertArrayEquals(new float[] {0.25f, 0.25f, 0.25f}, read.std());
    assertEquals(1, read.crop());
  }

  @Test
  void preprocessorConfigs() throws IOException {
    Preprocessing vit =
        read(
            "{\"do_normalize\": true, \"image_mean\": [0.485, 0.456, 0.406], \"image_std\": [0.229,"
                + " 0.224, 0.225],\"size\": {\"height\": 24, \"width\": 32}, \"resample\": 2,"
                + " \"rescale_factor\": 0.00392156862745098}",
            Map.of());
    assertArrayEquals(new float[] {0.485f, 0.456f, 0.406f}, vit.mean());
    assertArrayEquals(
        new float[] {0, 0, 0},
        read("{\"do_normalize\": false, \"image_mean\": [1]}", Map.of()).mean());
    Files.delete(folder.resolve("m.json"));
    Files.writeString(
        folder.resolve("preprocessor_config.json"),
        "{\"image_mean\": [0.1], \"image_std\": [0.2], \"size\": {\"shortest_edge\": 32},"
            + " \"do_center_crop\": true, \"crop_size\": {\"height\": 24, \"width\": 24}}");
    Preprocessing clip = PreprocessingReader.read(folder.resolve("m.onnx"), Map.of(), 3, 24, 24);
    assertEquals(0.75, clip.crop());
    assertEquals(24, clip.height());
    Files.writeString(
        folder.resolve("preprocessor_config.json"),
        "{\"image_mean\": [0.1], \"image_std\": [0.2], \"size\": 24, \"crop_pct\": 0.875}");
    assertEquals(
        0.875, PreprocessingReader.read(folder.resolve("m.onnx"), Map.of(), 3, 24, 24).crop());
  }

  /** What transformers and timm write for well-known models, on an input of 24 x 24. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // ViT
        "{'size': {'height': 24, 'width': 24}, 'resample': 2}| BILINEAR | false | 1",
        "{'size': 24, 'resample': 2}| BILINEAR | false | 1",
        // DeiT
        "{'size': 32, 'crop_size': 24, 'do_center_crop': true, 'resample': 3,"
            + " 'feature_extractor_type': 'DeiTFeatureExtractor'}| BICUBIC | false | 0.75",
        "{'size': 32, 'crop_size': 24, 'do_center_crop': true, 'resample': 3,"
            + " 'image_processor_type': 'DeiTImageProcessor'}| BICUBIC | false | 0.75",
        "{'size': {'height': 32, 'width': 32}, 'crop_size': {'height': 24, 'width': 24},"
            + " 'resample': 3}| BICUBIC | false | 0.75",
        // DINOv2, CLIP
        "{'size': 32, 'crop_size': 24, 'do_center_crop': true, 'resample': 3,"
            + " 'feature_extractor_type': 'CLIPFeatureExtractor'}| BICUBIC | true | 0.75",
        "{'size': 32, 'crop_size': 24, 'do_center_crop': true, 'resample': 3}| BICUBIC | true |"
            + " 0.75",
        "{'size': {'shortest_edge': 32}, 'crop_size': {'height': 24, 'width': 24},"
            + " 'resample': 3}| BICUBIC | true | 0.75",
        "{'size': {'shortest_edge': 24}, 'crop_size': {'height': 24, 'width': 24},"
            + " 'do_center_crop': true, 'resample': 3}| BICUBIC | true | 1",
        // timm
        "{'crop_pct': 0.9, 'interpolation': 'bicubic', 'crop_mode': 'center'}| BICUBIC | true |"
            + " 0.9",
        "{'crop_pct': 1.0, 'interpolation': 'bicubic', 'crop_mode': 'center'}| BICUBIC | true | 1",
        "{'crop_pct': 1.0, 'interpolation': 'bilinear', 'crop_mode': 'squash'}| BILINEAR | false |"
            + " 1",
        // ours, with and without an aspect
        "{'crop': 1}| BILINEAR | false | 1",
        "{'crop': 0.9, 'resize': 'bicubic'}| BICUBIC | true | 0.9",
        "{'crop': 1, 'aspect': 'keep'}| BILINEAR | true | 1",
        "{'crop': 0.9, 'aspect': 'stretch'}| BILINEAR | false | 0.9",
      })
  void resizingAsEachToolMeansIt(
      String value, Preprocessing.Resize resize, boolean keepsAspect, double crop)
      throws IOException {
    Files.writeString(
        folder.resolve("m.json"), "{\"preprocessing\": " + value.replace('\'', '"') + "}");
    Preprocessing read = PreprocessingReader.read(folder.resolve("m.onnx"), Map.of(), 3, 24, 24);
    assertEquals(resize, read.resize());
    assertEquals(keepsAspect, read.keepsAspect());
    assertEquals(crop, read.crop());
    assertEquals(read, Preprocessing.fromJson("a test", read.toJson()));
  }

  @Test
  void sizesTheModelLeavesOpenComeFromTheJson() throws IOException {
    Files.writeString(
        folder.resolve("m.json"), "{\"preprocessing\": {\"channels\": 1, \"size\": [20, 30]}}");
    Preprocessing read = PreprocessingReader.read(folder.resolve("m.onnx"), Map.of(), -1, -1, 30);
    assertEquals(1, read.channels());
    assertEquals(20, read.height());
    Files.delete(folder.resolve("m.json"));
    String message =
        assertThrows(
                BadInputException.class,
                () -> PreprocessingReader.read(folder.resolve("m.onnx"), Map.of(), 3, -1, -1))
            .getMessage();
    assertTrue(message.contains("leaves the size of its images open"), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'mean': 'a'}| preprocessing.mean",
        "{'mean': [0.1, 0.2]}| 2 values of mean",
        "{'mean': [[1]]}| preprocessing.mean",
        "{'mean': 1e999}| preprocessing.mean",
        "{'mean': {}}| preprocessing.mean",
        "{'std': 0}| std 0.0",
        "{'std': [1, -1, 1]}| std -1.0",
        "{'size': [24, 24]}| preprocessing.size",
        "{'size': [24, 32, 3]}| preprocessing.size",
        "{'size': {'height': 24}}| preprocessing.size.width",
        "{'size': 0}| preprocessing.size",
        "{'size': 24.5}| preprocessing.size",
        "{'channels': 1}| preprocessing.channels",
        "{'crop': 0}| preprocessing.crop",
        "{'crop': 1.5}| preprocessing.crop",
        "{'crop': true}| preprocessing.crop",
        "{'resize': 'nearest'}| preprocessing.resize",
        "{'interpolation': 'random'}| preprocessing.interpolation",
        "{'resample': 1}| preprocessing.resample must be 2 (bilinear) or 3 (bicubic), but is 1",
        "{'resample': 'bicubic'}| preprocessing.resample",
        "{'aspect': 'squash'}| preprocessing.aspect",
        "{'rescale_factor': 1}| preprocessing.rescale_factor",
        "{'do_rescale': false}| preprocessing.do_rescale",
        "{'do_normalize': 1}| preprocessing.do_normalize",
        "[]| preprocessing must be an object",
        "7| preprocessing must be an object",
      })
  void wrongValuesAreNamedWithFileAndKey(String value, String part) {
    String message = refusal("{\"preprocessing\": " + value.replace('\'', '"') + "}");
    assertTrue(message.contains(part) && message.contains("m.json"), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{", "[]", "{} {}", "{a:1}", "null", "{\"preprocessing\": }", "\u0000"})
  void whatIsNoJsonIsNamedWithItsFile(String text) {
    String message = refusal(text);
    assertTrue(message.contains("m.json"), message);
    assertEquals(1, message.lines().count());
  }

  @Test
  void truncatedAndDamagedJsonIsRefusedOrUnderstood() throws IOException {
    String whole = Files.readString(Golden.resource("/dev/sidefade/demo/vit28p7d128.json"));
    Random random = new Random(5);
    for (int i = 0; i < 400; i++) {
      StringBuilder text = new StringBuilder(whole);
      if (i % 2 == 0) {
        text.setLength(random.nextInt(whole.length()));
      } else {
        text.setCharAt(
            random.nextInt(whole.length()), "{}[]\":,x0-\u00e9".charAt(random.nextInt(11)));
      }
      Files.writeString(folder.resolve("m.json"), text);
      try {
        PreprocessingReader.read(folder.resolve("m.onnx"), Map.of(), 1, 28, 28);
        var _ = PreprocessingReader.document(folder.resolve("m.onnx")).flatMap(NamedTaps::of);
      } catch (BadInputException e) {
        assertTrue(e.getMessage().contains("m.json"), e.getMessage());
      }
    }
    Files.write(folder.resolve("m.json"), new byte[] {'{', (byte) 0xff, '}'});
    assertThrows(BadInputException.class, () -> read(null, Map.of()));
  }

  @Test
  void jsonRoundTrip() {
    Random random = new Random(11);
    for (int i = 0; i < 100; i++) {
      int channels = 1 + 2 * random.nextInt(2);
      float[] mean = new float[channels];
      float[] std = new float[channels];
      for (int c = 0; c < channels; c++) {
        mean[c] = random.nextFloat();
        std[c] = random.nextFloat() + 1e-3f;
      }
      Preprocessing made =
          new Preprocessing(
              channels,
              1 + random.nextInt(500),
              1 + random.nextInt(500),
              mean,
              std,
              random.nextBoolean() ? Preprocessing.Resize.BILINEAR : Preprocessing.Resize.BICUBIC,
              random.nextBoolean(),
              1 - random.nextDouble() * 0.9);
      Preprocessing read = Preprocessing.fromJson("a test", made.toJson());
      assertEquals(made, read);
      assertEquals(made.hashCode(), read.hashCode());
    }
    String message =
        assertThrows(BadInputException.class, () -> Preprocessing.fromJson("a test", "{}"))
            .getMessage();
    assertTrue(message.contains("a test") && message.contains("channels"), message);
  }
}
