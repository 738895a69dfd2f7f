package dev.sidefade.export;

import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.Mutator;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/** Files of tensors; of some only the header is damaged, and its length is mended. */
public final class SafetensorsFuzz implements FuzzTarget {
  private static final List<String> WORDS =
      List.of(
          "\"F32\"",
          "\"F16\"",
          "\"shape\":",
          "\"dtype\":",
          "\"data_offsets\":",
          "[0,24]",
          "[3,2]",
          "[]",
          "{}",
          ",",
          ":",
          "\"__metadata__\":",
          "[24,32]",
          "null",
          "\\u0000",
          "\\n",
          "\"\"",
          "[[[[[[[[",
          "{\"a\":{\"a\":{\"a\":",
          "\u2028",
          "[9223372036854775807,4]");

  private final Mutator whole = new Mutator(List.of(sample()), WORDS);
  private final Mutator headers = new Mutator(List.of(header()), WORDS);

  private static byte[] sample() {
    return joined(header(), new byte[32]);
  }

  private static byte[] header() {
    Map<String, Safetensors.Entry> tensors = new TreeMap<>();
    tensors.put("head.weight", new Safetensors.Entry(new float[6], 3, 2));
    tensors.put("head.bias", new Safetensors.Entry(new float[2], 2));
    return SafetensorsHeader.encode(tensors, Map.of("base", "0123", "kind", "faded"));
  }

  private static byte[] joined(byte[] header, byte[] data) {
    return ByteBuffer.allocate(8 + header.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .put(data)
        .array();
  }

  @Override
  public String name() {
    return "safetensors";
  }

  @Override
  public byte[] mutant(RandomGenerator random) {
    if (random.nextInt(3) == 0) {
      return whole.mutant(random);
    }
    byte[] header = headers.mutant(random);
    boolean shorter = random.nextInt(8) == 0;
    return joined(header, Arrays.copyOf(new byte[32], shorter ? random.nextInt(32) : 32));
  }

  @Override
  public void read(byte[] input) {
    Safetensors.Content content = Safetensors.parse("a file", MemorySegment.ofArray(input));
    content
        .tensors()
        .forEach((name, entry) -> {
          long size = Arrays.stream(entry.dims()).reduce(1, Math::multiplyExact);
          if (size != entry.values().length) {
            throw new IllegalStateException("the values of " + name + " do not fill its shape");
          }
        });
    if (content.metadata().containsValue(null)) {
      throw new IllegalStateException("a name without a text");
    }
  }
}
