package dev.sidefade.backbone;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What PyTorch computed for a test model: a safetensors file, in memory of an arena. */
public record Golden(Map<String, String> metadata, Map<String, Tensor> tensors) {

  /** A file under src/test/resources/models. */
  public static Path model(String file) {
    return resource("/models/" + file);
  }

  public static Path resource(String name) {
    URL url = Golden.class.getResource(name);
    if (url == null) {
      throw new IllegalStateException("test resource " + name + " is missing");
    }
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static Golden read(String name, Arena arena) throws IOException {
    return read(model(name + ".golden.safetensors"), arena);
  }

  /** Any file with float32 and int64 tensors. */
  public static Golden read(Path file, Arena arena) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    int header = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    String json = new String(bytes, 8, header, StandardCharsets.UTF_8);
    Map<String, String> metadata = new LinkedHashMap<>();
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    JsonObject entries = JsonParser.parseString(json).getAsJsonObject();
    for (String key : entries.keySet()) {
      JsonObject entry = entries.getAsJsonObject(key);
      if (key.equals("__metadata__")) {
        entry.asMap().forEach((name, text) -> metadata.put(name, text.getAsString()));
      } else {
        tensors.put(key, tensor(entry, bytes, 8 + header, arena));
      }
    }
    return new Golden(metadata, tensors);
  }

  public Tensor get(String name) {
    return tensors.get(name);
  }

  /** Rows {@code from} to {@code to} (exclusive) of all inputs. */
  public Map<String, Tensor> inputs(long from, long to) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    tensors.forEach((key, tensor) -> {
      if (key.startsWith("input.")) {
        inputs.put(key.substring(6), rows(tensor, from, to));
      }
    });
    return inputs;
  }

  long batch() {
    return get("logits").dim(0);
  }

  public static Tensor rows(Tensor tensor, long from, long to) {
    long[] dims = tensor.shape().toArray();
    long row = tensor.size() / dims[0];
    dims[0] = to - from;
    return tensor.slice(from * row, dims);
  }

  static Tensor zeros(Arena arena, DType type, long... dims) {
    Shape shape = Shape.of(dims);
    return Tensor.wrap(arena.allocate(shape.size() * type.bytes(), 64), shape, type);
  }

  private static Tensor tensor(JsonObject entry, byte[] bytes, int start, Arena arena) {
    DType type = entry.get("dtype").getAsString().equals("I64") ? DType.I64 : DType.F32;
    long[] dims =
        entry.getAsJsonArray("shape").asList().stream().mapToLong(d -> d.getAsLong()).toArray();
    long offset = start + entry.getAsJsonArray("data_offsets").get(0).getAsLong();
    Tensor tensor = zeros(arena, type, dims);
    MemorySegment.copy(MemorySegment.ofArray(bytes), offset, tensor.segment(), 0, tensor.bytes());
    return tensor;
  }
}
