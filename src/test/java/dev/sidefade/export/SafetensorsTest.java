package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
  @TempDir Path folder;

  @Test
  void whatIsWrittenIsRead() throws IOException {
    Random random = new Random(1);
    Path file = folder.resolve("some.safetensors");
    for (int round = 0; round < 60; round++) {
      Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
      for (int i = random.nextInt(5); i >= 0; i--) {
        tensors.put("tensor.ü\"" + random.nextInt(99), entry(random));
      }
      Map<String, String> metadata = new LinkedHashMap<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        metadata.put("key\\" + i, "text <&> \" \u0001 \u20ac " + random.nextInt());
      }
      Safetensors.write(file, tensors, metadata);
      Safetensors.Content content = Safetensors.read(file);
      assertEquals(metadata, content.metadata());
      assertEquals(tensors.keySet(), content.tensors().keySet());
      tensors.forEach((name, entry) -> {
        assertArrayEquals(entry.values(), content.tensors().get(name).values());
        assertArrayEquals(entry.dims(), content.tensors().get(name).dims());
      });
      long header =
          ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN).getLong();
      assertEquals(0, header % 8);
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  private static Safetensors.Entry entry(Random random) {
    long[] dims = new long[random.nextInt(4)];
    int size = 1;
    for (int i = 0; i < dims.length; i++) {
      dims[i] = random.nextInt(random.nextInt(9) == 0 ? 200 : 6);
      size *= (int) dims[i];
    }
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = Float.intBitsToFloat(random.nextInt());
      values[i] = Float.isNaN(values[i]) ? Float.NEGATIVE_INFINITY : values[i];
    }
    return new Safetensors.Entry(values, dims);
  }

  @Test
  void largerTensorsThanOneBufferAreWritten() throws IOException {
    float[] values = new float[100_003];
    for (int i = 0; i < values.length; i++) {
      values[i] = i * 0.5f;
    }
    Path file = folder.resolve("large.safetensors");
    Safetensors.write(file, Map.of("x", new Safetensors.Entry(values, values.length)), Map.of());
    assertArrayEquals(values, Safetensors.read(file).tensors().get("x").values());
  }

  @Test
  void theOrderOfMapsDoesNotShow() throws IOException {
    Safetensors.Entry a = new Safetensors.Entry(new float[] {1, 2}, 2);
    Safetensors.Entry b = new Safetensors.Entry(new float[] {3}, 1, 1);
    Map<String, Safetensors.Entry> forwards = new LinkedHashMap<>();
    forwards.put("a", a);
    forwards.put("b", b);
    Map<String, Safetensors.Entry> backwards = new LinkedHashMap<>();
    backwards.put("b", b);
    backwards.put("a", a);
    Path one = folder.resolve("1");
    Path two = folder.resolve("2");
    Safetensors.write(one, forwards, Map.of("k", "v", "l", "w"));
    Safetensors.write(two, backwards, Map.of("l", "w", "k", "v"));
    assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(two));
  }

  @Test
  void filesOfPythonAreRead() throws IOException {
    Path file = Fixtures.resource("/models/vit_timm_dynamo20.golden.safetensors");
    Safetensors.Content content = Safetensors.read(file);
    Safetensors.Entry logits = content.tensors().get("logits");
    assertArrayEquals(new long[] {3, 5}, logits.dims());
    for (float logit : logits.values()) {
      assertTrue(Float.isFinite(logit));
    }
    assertEquals(3, content.tensors().get("tap.0").dims().length);
  }

  @Test
  void malformedHeadersAreRefused() {
    String good = "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";
    assertEquals(1, parse("{" + good + "}", 8).tensors().size());
    List<String> bad =
        List.of(
            "[]",
            "{",
            "{" + good + "}x",
            "{" + good + "," + good + "}",
            "{" + good + ",}",
            "{\"a\":1}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"more\":1}}",
            "{\"a\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,8]}}",
            "{\"a\":{\"dtype\":1,\"shape\":[2],\"data_offsets\":[0,8]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[\"2\"],\"data_offsets\":[0,8]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,8]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,8]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}",
            "{" + good + ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
            "{\"__metadata__\":{\"k\":1}," + good + "}",
            "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}," + good + "}",
            "{\"__metadata__\":[]," + good + "}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":" + "[".repeat(5000) + "]}}");
    for (String header : bad) {
      assertRefused(() -> parse(header, 8), header);
    }
    assertRefused(() -> parse("{" + good + "}", 9), "a byte too many");
    assertRefused(() -> parse("{" + good + "}", 7), "a byte too few");
    assertRefused(() -> parse("{\"\u00ff\":{}}", StandardCharsets.ISO_8859_1, 0), "no UTF-8");
  }

  @Test
  void hostileLengthsAreRefused() {
    for (long length : new long[] {-1, 0, 1, 9, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE}) {
      byte[] bytes = new byte[16];
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
      assertRefused(() -> parse(bytes), "header of " + length);
    }
    for (int size = 0; size < 8; size++) {
      byte[] bytes = new byte[size];
      assertRefused(() -> parse(bytes), size + " bytes");
    }
  }

  @Test
  void truncatedFilesAreRefused() throws IOException {
    byte[] bytes = sample();
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertRefused(() -> parse(cut), length + " bytes");
    }
    Path file = folder.resolve("cut.safetensors");
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
    assertRefused(() -> read(file), "a file without its last byte");
    assertRefused(() -> read(folder.resolve("missing")), "a missing file");
    Files.write(file, new byte[0]);
    assertRefused(() -> read(file), "an empty file");
  }

  @Test
  void damagedFilesAreReadOrRefused() throws IOException {
    byte[] bytes = sample();
    Random random = new Random(3);
    int header = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong() + 8;
    String signs = "{}[]\",:0123456789-eE.\\ufF32__metadata__";
    int refused = 0;
    for (int round = 0; round < 30_000; round++) {
      byte[] damaged = bytes.clone();
      for (int i = random.nextInt(4); i >= 0; i--) {
        int at = random.nextInt(random.nextInt(10) == 0 ? bytes.length : header);
        damaged[at] =
            random.nextBoolean()
                ? (byte) signs.charAt(random.nextInt(signs.length()))
                : (byte) random.nextInt();
      }
      try {
        parse(damaged)
            .tensors()
            .forEach((name, entry) -> assertFalse(name.isEmpty() && entry == null));
      } catch (BadInputException e) {
        refused++;
      }
    }
    assertTrue(refused > 15_000 && refused < 30_000, refused + " were refused");
  }

  private byte[] sample() throws IOException {
    Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
    tensors.put("head.weight", new Safetensors.Entry(new float[] {1, 2, 3, 4, 5, 6}, 3, 2));
    tensors.put("head.bias", new Safetensors.Entry(new float[] {7, 8}, 2));
    Path file = folder.resolve("sample.safetensors");
    Safetensors.write(file, tensors, Map.of("base", "0123", "kind", "faded"));
    return Files.readAllBytes(file);
  }

  private static Safetensors.Content parse(byte[] bytes) {
    return Safetensors.parse("sample", MemorySegment.ofArray(bytes));
  }

  private static Safetensors.Content parse(String header, int data) {
    return parse(header, StandardCharsets.UTF_8, data);
  }

  private static Safetensors.Content parse(String header, Charset charset, int data) {
    byte[] text = header.getBytes(charset);
    ByteBuffer bytes = ByteBuffer.allocate(8 + text.length + data).order(ByteOrder.LITTLE_ENDIAN);
    return parse(bytes.putLong(text.length).put(text).array());
  }

  private static void read(Path file) {
    try {
      Safetensors.read(file);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void assertRefused(Runnable parsing, String what) {
    BadInputException refused = assertThrows(BadInputException.class, parsing::run, what);
    assertFalse(refused.getMessage().contains("\n"), refused.getMessage());
  }
}
