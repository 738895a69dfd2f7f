package dev.sidefade.backbone;

import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.Mutator;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** The JSON beside a model: pre-processing in all its spellings, and named taps. */
public final class PreprocessingFuzz implements FuzzTarget {
  private final Mutator mutator =
      new Mutator(
          List.of(
              Mutator.bytes(
                  "{\"preprocessing\":{\"channels\":1,\"size\":[20,30],\"mean\":[0.4,0.5,0.6],"
                      + "\"std\":0.25,\"resize\":\"bilinear\",\"crop\":0.9},\"taps\":{\"embed\":"
                      + "\"a\",\"blocks\":[\"b\",\"c\"],\"final_norm\":\"d\"}}"),
              Mutator.bytes(
                  "{\"do_normalize\":true,\"image_mean\":[0.485,0.456,0.406],\"image_std\":[0.229,"
                      + "0.224,0.225],\"size\":{\"height\":24,\"width\":32},\"resample\":2,"
                      + "\"rescale_factor\":0.00392156862745098}"),
              Mutator.bytes(
                  "{\"image_mean\":[0.1],\"image_std\":[0.2],\"size\":{\"shortest_edge\":32},"
                      + "\"do_center_crop\":true,\"crop_size\":{\"height\":24,\"width\":24}}")),
          List.of(
              "{",
              "}",
              "[",
              "]",
              ",",
              ":",
              "\"",
              "null",
              "true",
              "false",
              "1e999",
              "-1",
              "\\u0000",
              "\\n",
              "\"size\":",
              "\"crop_pct\":",
              "\"mean\":",
              "\"std\":",
              "{}",
              "[]",
              "[".repeat(2000),
              "{\"a\":".repeat(500),
              "\u2028",
              "\"shortest_edge\":",
              "9".repeat(400)));

  @Override
  public String name() {
    return "json beside a model";
  }

  @Override
  public byte[] mutant(RandomGenerator random) {
    return mutator.mutant(random);
  }

  @Override
  public void read(byte[] input) {
    // what Files.readString refuses is refused by the caller
    JsonFields document = JsonFields.parse("a file", new String(input, StandardCharsets.UTF_8));
    Optional<NamedTaps> taps = NamedTaps.of(document);
    JsonFields fields = document.child("preprocessing").orElse(document);
    Preprocessing read =
        input.length % 2 == 0
            ? PreprocessingReader.fromFields(fields, -1, -1, -1)
            : PreprocessingReader.fromFields(fields, 3, 24, 32);
    if (!Preprocessing.fromJson("again", read.toJson()).equals(read)) {
      throw new IllegalStateException("it comes back changed: " + read + ", taps " + taps);
    }
  }
}
