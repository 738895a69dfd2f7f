package dev.sidefade.cli;

import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.Mutator;
import dev.sidefade.fuzz.ScratchFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.random.RandomGenerator;

/** Settings files, JSON and properties. */
public final class ConfigFuzz implements FuzzTarget {
  private final ScratchFolder scratch = ScratchFolder.create();
  private final Path file = scratch.path().resolve("settings");
  private final Mutator mutator =
      new Mutator(
          List.of(
              Mutator.bytes(
                  "{\"backbone\":\"b.onnx\",\"epochs\":3,\"flip\":true,\"taps\":[0,2,4],"
                      + "\"mean\":[0.5,0.25],\"tune\":\"final-norm\"}"),
              Mutator.bytes(
                  "# settings\nbackbone = b.onnx\nepochs=3\n! x\ntaps : 0,\\\n  2\nflip true\n"),
              Mutator.bytes("epochs=\\u0033\nkl-weight\\ = 1\n")),
          List.of(
              "{",
              "}",
              "[",
              "]",
              ",",
              ":",
              "\"",
              "null",
              "'",
              ";",
              "#",
              "//",
              "/*",
              "=",
              "\\u",
              "\\u12",
              "\\",
              "\n",
              "\r",
              "\u2028",
              "\u2003{",
              "\u3000",
              "\"epochs\":",
              "{}",
              "[]",
              "[".repeat(3000),
              "{\"a\":".repeat(3000),
              "\uFEFF",
              "NaN",
              "\u001b[31m",
              "x".repeat(3000)));

  /** Makes a folder for the file. */
  public ConfigFuzz() throws IOException {}

  @Override
  public String name() {
    return "settings files";
  }

  @Override
  public byte[] mutant(RandomGenerator random) {
    return mutator.mutant(random);
  }

  /** Listing all options takes longer than parsing: it is done for some inputs only. */
  @Override
  public void read(byte[] input) throws IOException {
    String text = new String(input, StandardCharsets.UTF_8);
    if (ConfigFile.values(file, text).containsValue(null)) {
      throw new IllegalStateException("a key without a value");
    }
    if (input.length % 64 == 0) {
      Files.write(file, input);
      ConfigFile.read(file, "adapt");
    }
  }

  @Override
  public void close() throws IOException {
    scratch.close();
  }
}
