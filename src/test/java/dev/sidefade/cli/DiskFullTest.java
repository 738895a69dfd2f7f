package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.QuickRuns;
import dev.sidefade.SmallDisk;
import dev.sidefade.export.Safetensors;
import dev.sidefade.onnx.OnnxModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A disk that fills up: one sentence, exit code 2, and nothing half-written in the folder. */
class DiskFullTest {
  @TempDir Path folder;

  private static List<String> adapt(Path data, Path out, String... more) {
    List<String> options =
        List.of(
            "--backbone",
            data.resolve(DemoSettings.BACKBONE).toString(),
            "--train",
            data.resolve("val-images-idx3-ubyte.gz").toString(),
            "--val",
            data.resolve("val-images-idx3-ubyte.gz").toString(),
            "--tune",
            "final-norm",
            "--side",
            "adapter",
            "--epochs",
            "1",
            "--threads",
            "1",
            "--out",
            out.toString());
    return Stream.of(List.of("adapt"), options, List.of(more)).flatMap(List::stream).toList();
  }

  private static Cli.Outcome run(List<String> args) {
    return Cli.run(QuickRuns::adapt, args.toArray(String[]::new));
  }

  /** Full at the checkpoint, and at the models. */
  @ParameterizedTest
  @ValueSource(ints = {16, 1200})
  void nothingHalfWrittenIsLeft(int kibibytes) throws IOException {
    DemoFolder demo = new DemoFolder(folder.resolve("demo"));
    demo.prepare();
    try (SmallDisk disk = SmallDisk.mount(folder.resolve("disk"), kibibytes)) {
      Path out = disk.path().resolve("out");
      Cli.Outcome outcome = run(adapt(demo.data(), out));
      assertEquals(2, outcome.code(), outcome.err());
      String last = outcome.err().lines().toList().getLast();
      assertTrue(last.startsWith("error: the disk is full"), outcome.err());
      assertFalse(disk.names().contains("out/metrics.json"), disk.names().toString());
      for (String name : disk.names()) {
        Path file = disk.path().resolve(name);
        switch (name) {
          case "out" -> assertTrue(Files.isDirectory(file));
          case "out/checkpoint.safetensors", "out/delta.safetensors" -> Safetensors.read(file);
          case "out/model.onnx" -> OnnxModel.read(file);
          default -> throw new AssertionError(name + " is left");
        }
      }
    }
  }
}
