package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.AdaptConfig;
import dev.sidefade.TaskKind;
import dev.sidefade.Tune;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Options from a file, below those of the command line. */
class ConfigFileTest {
  @TempDir private Path folder;

  private String file(String text) throws IOException {
    return Files.writeString(folder.resolve("settings"), text).toString();
  }

  @Test
  void jsonGivesOptionsAlsoNeededOnes() throws IOException {
    String file =
        file(
            """
            {"backbone": "b.onnx", "train": "t", "out": "o", "epochs": 12, "lr-side": 0.5,
             "taps": [0, 2], "mean": [0.5, 0.25], "flip": true, "tune": "head", "seed": "7",
             "shallow": "1-2"}
            """);
    AdaptConfig config = Cli.config("--config", file);
    assertEquals(Path.of("b.onnx"), config.backbone());
    assertEquals(12, config.epochs());
    assertEquals(0.5, config.learningRateSide());
    assertEquals(List.of(0, 2), config.taps());
    assertEquals(List.of(0.5, 0.25), config.mean());
    assertEquals(Tune.HEAD, config.tune());
    assertEquals(7, config.seed());
    assertEquals(Optional.of(List.of(1, 2)), config.shallow());
    assertTrue(config.flip());
    assertEquals(64, config.batch());
  }

  @Test
  void theCommandLineWins() throws IOException {
    String file =
        file(
            "{\"backbone\":\"b\",\"train\":\"t\",\"out\":\"o\",\"epochs\":12,\"flip\":true,\"resume\":true,\"mean\":[1,2,3]}");
    AdaptConfig config =
        Cli.config("--epochs=3", "--config=" + file, "--out", "p", "--no-flip", "--mean", "0.5");
    assertEquals(3, config.epochs());
    assertEquals(Path.of("p"), config.out());
    assertEquals("t", config.train());
    assertEquals(List.of(0.5), config.mean());
    assertFalse(config.flip());
    assertTrue(config.resume());
    // a flag that both give stays given
    assertTrue(Cli.config("--config", file, "--flip", "--resume").flip());
    assertTrue(Cli.config("--config", file, "--flip", "--resume").resume());
  }

  @Test
  void javaPropertiesWorkToo() throws IOException {
    String file =
        file("# settings\nbackbone = b.onnx\ntrain=t\nout: o\nkl-weight 0.25\ntaps=1-3\n");
    AdaptConfig config = Cli.config("--config", file);
    assertEquals(0.25, config.klWeight());
    assertEquals(List.of(1, 2, 3), config.taps());
  }

  /** Whatever a configuration says can be written into a file and comes back the same. */
  @Test
  void aConfigurationSurvivesAFile() throws IOException {
    AdaptConfig config =
        AdaptConfig.builder()
            .backbone(Path.of("b"))
            .train("a,b")
            .out(Path.of("o"))
            .mean(List.of(0.1, 0.2))
            .deep(List.of())
            .sideWidth(12)
            .temperature(3.25)
            .tune(Tune.lowRank(2).inLastBlocks(3))
            .task(TaskKind.REGRESSION)
            .tokenizer(Path.of("t.json"))
            .klWeight(0.5)
            .resume(true)
            .build();
    StringBuilder text = new StringBuilder();
    AdaptDefaults.spelled(config).forEach((key, value) -> text.append(key + "=" + value + "\n"));
    assertEquals(config, Cli.config("--config", file(text.toString())));
  }

  @Test
  void unknownKeysAreNamed() throws IOException {
    for (String key :
        List.of("epoch", "config", "help", "verbose", "--epochs", "learningRateSide")) {
      String file = file("{\"epochs\": 3, \"" + key + "\": 1}");
      String sentence = Cli.run("adapt", "--config", file).refusal();
      assertTrue(sentence.contains("\"" + key + "\"") && sentence.contains("epochs"), sentence);
    }
  }

  @Test
  void wrongValuesNameTheFile() throws IOException {
    String start = "{\"backbone\":\"b\",\"train\":\"t\",\"out\":\"o\",";
    String file = file(start + "\"epochs\":\"many\"}");
    String sentence = Cli.run("adapt", "--config", file).refusal();
    assertTrue(sentence.contains("--epochs") && sentence.contains(file), sentence);
    // a value that the command line replaces is not even looked at
    assertEquals(4, Cli.config("--config", file, "--epochs", "4").epochs());
    for (String value : List.of("null", "{}", "[]", "[[1]]", "{\"a\":1}")) {
      String bad = Cli.run("adapt", "--config", file(start + "\"taps\":" + value + "}")).refusal();
      assertTrue(bad.contains("\"taps\"") && bad.contains(value), bad);
    }
  }

  @Test
  void unusableFilesAreRefused() throws IOException {
    assertTrue(Cli.run("adapt", "--config", "not-there.json").refusal().contains("not-there.json"));
    assertTrue(Cli.run("adapt", "--config", folder.toString()).refusal().contains("is a folder"));
    assertTrue(Cli.run("adapt", "--config").refusal().contains("--config"));
    for (String text : List.of("{", "{\"epochs\":", "{\"epochs\" 3}", "{]")) {
      String sentence = Cli.run("adapt", "--config", file(text)).refusal();
      assertTrue(sentence.contains("is not valid JSON"), sentence);
    }
    assertTrue(Cli.run("adapt", "--config", file("epochs=\\u00")).refusal().contains("escape"));
    Path binary = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
    assertTrue(Cli.run("adapt", "--config", binary.toString()).refusal().contains("UTF-8"));
  }

  /**
   * Half a file is refused or, where it is whole by accident, read; it never ends in anything else.
   */
  @Test
  void truncatedFilesNeverFailInAnotherWay() throws IOException {
    String whole = "{\"backbone\":\"b\",\"train\":\"t\",\"out\":\"o\",\"taps\":[0,2],\"seed\":3}";
    for (int length = 0; length < whole.length(); length++) {
      Cli.Outcome outcome = Cli.run("adapt", "--config", file(whole.substring(0, length)));
      assertEquals(2, outcome.code(), outcome.err());
      outcome.sentence();
    }
  }

  @Test
  void comparisonsHaveKeysOfTheirOwn() throws IOException {
    String start = "{\"backbone\":\"b\",\"train\":\"t\",\"out\":\"o\",";
    String seeds = file(start + "\"seeds\":[0,\"x\"]}");
    String wrong = Cli.run("compare", "--config", seeds).refusal();
    assertTrue(wrong.contains("--seeds") && wrong.contains(seeds), wrong);
    for (String key : List.of("seed", "resume")) {
      String sentence =
          Cli.run("compare", "--config", file(start + "\"" + key + "\":1}")).refusal();
      assertTrue(sentence.contains("no option of sidefade compare"), sentence);
    }
    String adapt = Cli.run("adapt", "--config", file(start + "\"seeds\":3}")).refusal();
    assertTrue(adapt.contains("no option of sidefade adapt"), adapt);
  }

  @Test
  void otherCommandsHaveNoSettingsFile() throws IOException {
    String sentence =
        Cli.run("evaluate", "--model=m", "--data=adapt", "--config", file("{")).refusal();
    assertTrue(sentence.contains("--config"), sentence);
  }
}
