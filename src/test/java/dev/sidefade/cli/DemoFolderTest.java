package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.AdaptConfig;
import dev.sidefade.Tune;
import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSources;
import dev.sidefade.distill.Direction;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo's folder and settings. */
class DemoFolderTest {
  @TempDir private Path folder;

  private static Set<String> names(Path of) throws IOException {
    try (Stream<Path> files = Files.list(of)) {
      return new TreeSet<>(files.map(file -> file.getFileName().toString()).toList());
    }
  }

  @Test
  void everythingThatIsShippedIsUnpacked() throws IOException {
    DemoFolder demo = new DemoFolder(folder.resolve("a/b"));
    demo.prepare();
    assertEquals(new TreeSet<>(DemoSettings.FILES), names(demo.data()));
    assertEquals(Set.of(DemoFolder.MARKER, "data"), names(demo.root()));
    for (String name : DemoSettings.FILES) {
      assertTrue(Files.size(demo.data().resolve(name)) > 100, name);
    }
  }

  @Test
  void anEarlierDemoIsReplacedAndNothingElse() throws IOException {
    DemoFolder demo = new DemoFolder(folder.resolve("demo"));
    demo.prepare();
    Files.createDirectories(demo.result().resolve("deep/er"));
    Files.writeString(demo.result().resolve("deep/er/old"), "old");
    Files.writeString(demo.data().resolve("old"), "old");
    Files.writeString(demo.root().resolve("mine.txt"), "mine");
    demo.prepare();
    assertFalse(Files.exists(demo.result()));
    assertEquals(new TreeSet<>(DemoSettings.FILES), names(demo.data()));
    assertEquals("mine", Files.readString(demo.root().resolve("mine.txt")));
  }

  @Test
  void linksAreCutAndNotFollowed() throws IOException {
    DemoFolder demo = new DemoFolder(folder.resolve("demo"));
    demo.prepare();
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Files.writeString(elsewhere.resolve("precious"), "precious");
    Files.createSymbolicLink(demo.result(), elsewhere);
    Files.createSymbolicLink(demo.data().resolve("link"), elsewhere);
    demo.prepare();
    assertEquals("precious", Files.readString(elsewhere.resolve("precious")));
    assertFalse(Files.exists(demo.result()));
  }

  @Test
  void aFolderOfSomebodyElseIsRefused() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.writeString(other.resolve("thesis.tex"), "years");
    String sentence = Cli.run("demo", "--out", other.toString()).refusal();
    assertTrue(
        sentence.contains(other.toString()) && sentence.contains("not made by the demo"), sentence);
    assertEquals(Set.of("thesis.tex"), names(other));
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThrows(BadInputException.class, () -> new DemoFolder(file).prepare());
    // an empty folder is nobody's
    new DemoFolder(Files.createDirectory(folder.resolve("empty"))).prepare();
  }

  @Test
  void theDemoRunsItsSettings() throws IOException {
    List<AdaptConfig> seen = new ArrayList<>();
    Path out = folder.resolve("demo");
    Cli.Outcome outcome =
        Cli.run(
            (config, progress) -> {
              seen.add(config);
              return Cli.writing(Cli.report()).adapt(config, progress);
            },
            "demo",
            "--out",
            out.toString(),
            "--seed",
            "4",
            "--threads",
            "2");
    assertEquals(0, outcome.code(), outcome.err());
    AdaptConfig config = seen.getFirst();
    assertEquals(DemoSettings.config(out.resolve("data"), out.resolve("result"), 4, 2), config);
    assertEquals(4, config.seed());
    assertEquals(2, config.threads());
    assertEquals(Tune.lowRank(4), config.tune());
    assertEquals(Optional.of(Pooling.CLS_MEAN), config.readout());
    assertEquals(Direction.SIDE_TO_BACKBONE, config.logits());
    assertTrue(config.unlabelled().isPresent());
    assertEquals(2, Cli.run("demo", "--out", out.toString(), "--threads", "-1").code());
  }

  @Test
  void theDigitsAreThoseThatAreDescribed() throws IOException {
    DemoFolder demo = new DemoFolder(folder.resolve("demo"));
    demo.prepare();
    AdaptConfig config = DemoSettings.config(demo.data(), demo.result(), 0, 1);
    assertEquals(200, size(config.train()));
    assertEquals(600, size(config.unlabelled().orElseThrow()));
    assertEquals(200, size(config.validation().orElseThrow()));
    assertEquals(797, size(config.test().orElseThrow()));
  }

  private static int size(String source) throws IOException {
    ImageSource images = ImageSources.open(source, ImageSources.Options.DEFAULT);
    return images.size();
  }
}
