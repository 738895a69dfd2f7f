package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What apply refuses; what it makes is tested where deltas are. */
class ApplyCommandTest {
  @TempDir private Path folder;

  private Cli.Outcome apply(Path base, Path delta, Path out) {
    return Cli.run(
        "apply", "--base", base.toString(), "--delta", delta.toString(), "--out", out.toString());
  }

  @Test
  void inputsMustExistAndOutputsMustBeWritable() throws IOException {
    Path here = Files.writeString(folder.resolve("here"), "x");
    Path gone = folder.resolve("gone");
    Path out = folder.resolve("out.onnx");
    assertTrue(apply(gone, here, out).refusal().contains("there is no file " + gone));
    assertTrue(apply(here, gone, out).refusal().contains("there is no file " + gone));
    assertTrue(apply(here, here, here).refusal().contains("overwrite its own input"));
    assertTrue(apply(here, here, folder).refusal().contains("is a folder"));
    assertTrue(
        apply(here, here, folder.resolve("no/where.onnx"))
            .refusal()
            .contains("there is no folder"));
    assertTrue(Cli.run("apply", "--base=b").refusal().contains("--delta"));
  }

  @Test
  void exportsAreCheckedFirst() throws IOException {
    Path here = Files.writeString(folder.resolve("here"), "x");
    Path base = Files.writeString(folder.resolve("vit.int8.onnx"), "x");
    String[] apply = {
      "apply",
      "--base",
      base.toString(),
      "--delta",
      here.toString(),
      "--out",
      folder.resolve("vit.onnx").toString(),
      "--precision",
      "int8"
    };
    assertTrue(Cli.run(apply).refusal().contains("is the backbone or a folder"));
    apply[8] = "int4";
    assertTrue(Cli.run(apply).refusal().contains("expected one of fp32, fp16, int8"));
    apply[7] = "--opset";
    apply[8] = "9";
    assertTrue(Cli.run(apply).refusal().contains("opset 13 or later"));
    assertEquals("x", Files.readString(base));
  }

  @Test
  void aBrokenDeltaLeavesNothingBehind() throws IOException {
    DemoFolder demo = new DemoFolder(folder.resolve("demo"));
    demo.prepare();
    Path delta = Files.writeString(folder.resolve("d.safetensors"), "no safetensors");
    Path out = folder.resolve("out.onnx");
    assertFalse(apply(demo.data().resolve(DemoSettings.BACKBONE), delta, out).refusal().isEmpty());
    assertFalse(Files.exists(out));
    try (var files = Files.list(folder)) {
      assertEquals(2, files.count());
    }
  }
}
