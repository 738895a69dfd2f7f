package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.Sidefade;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What adapt, evaluate and predict refuse: one sentence, exit code 2, nothing left behind. */
class BadInputTest {
  @TempDir private Path folder;

  private DemoFolder demo;
  private Path out;

  @BeforeEach
  void unpack() throws IOException {
    demo = new DemoFolder(folder.resolve("demo"));
    demo.prepare();
    out = folder.resolve("out");
  }

  private String data(String name) {
    return demo.data().resolve(name).toString();
  }

  private static String model(String name) throws URISyntaxException {
    return Path.of(BadInputTest.class.getResource("/models/" + name).toURI()).toString();
  }

  private Cli.Outcome adapt(String backbone, String train, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "adapt",
                "--backbone",
                backbone,
                "--train",
                train,
                "--out",
                out.toString(),
                "--epochs=1",
                "--threads=1"));
    args.addAll(List.of(more));
    return Cli.run(Sidefade::adapt, args.toArray(String[]::new));
  }

  /** One sentence with these words; progress may stand before it. */
  private void refused(Cli.Outcome outcome, String... words) throws IOException {
    assertTrue(outcome.code() == 2 && outcome.out().isEmpty(), outcome.code() + outcome.err());
    String last = outcome.err().lines().toList().getLast();
    assertTrue(last.startsWith("error: "), outcome.err());
    assertFalse(outcome.err().contains("\tat "), outcome.err());
    for (String word : words) {
      assertTrue(last.contains(word), last + "\nlacks " + word);
    }
    assertTrue(isEmpty(out), "something was left behind");
  }

  private static boolean isEmpty(Path path) throws IOException {
    if (!Files.exists(path)) {
      return true;
    }
    try (Stream<Path> inside = Files.list(path)) {
      return inside.findAny().isEmpty();
    }
  }

  private Path png(String name) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    ImageIO.write(new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY), "png", file.toFile());
    return file;
  }

  @Test
  void foldersAndLists() throws IOException {
    String backbone = data(DemoSettings.BACKBONE);
    String gone = folder.resolve("gone").toString();
    refused(adapt(backbone, gone), gone, "does not exist");
    refused(adapt(backbone, data("labelled-images-idx3-ubyte.gz"), "--test", gone), gone);
    Path empty = Files.createDirectory(folder.resolve("empty"));
    refused(adapt(backbone, empty.toString()), empty.toString());
    png("classes/a/1.png");
    Files.createDirectories(folder.resolve("classes/b"));
    refused(adapt(backbone, folder.resolve("classes").toString()), "class b", "no image");
    Path zero = folder.resolve("classes/b/zero.png");
    Files.createFile(zero);
    png("classes/b/good.png");
    refused(adapt(backbone, folder.resolve("classes").toString(), "--strict"), "zero.png");
    Path list =
        Files.writeString(folder.resolve("list.txt"), "classes/a/1.png 0\nclasses/a/2.png 1\n");
    refused(adapt(backbone, list.toString()), "2.png");
    Files.writeString(list, "classes/a/1.png -3\n");
    refused(adapt(backbone, list.toString()), "-3");
  }

  @Test
  void idxFiles() throws IOException {
    String backbone = data(DemoSettings.BACKBONE);
    Path wrong = Files.write(folder.resolve("x-images-idx3-ubyte"), new byte[] {0, 0, 8, 9, 0, 0});
    refused(adapt(backbone, wrong.toString()), wrong.toString());
    Path images = demo.data().resolve("labelled-images-idx3-ubyte.gz");
    Path half = folder.resolve("half-images-idx3-ubyte.gz");
    byte[] whole = Files.readAllBytes(images);
    Files.write(half, java.util.Arrays.copyOf(whole, whole.length / 2));
    refused(adapt(backbone, half.toString()), half.toString());
    refused(adapt(backbone, images + "," + data("test-labels-idx1-ubyte.gz")), "200", "797");
    refused(adapt(backbone, data("unlabelled-images-idx3-ubyte.gz")), "label");
  }

  @Test
  void backbones() throws Exception {
    String train = data("labelled-images-idx3-ubyte.gz");
    String gone = folder.resolve("gone.onnx").toString();
    refused(adapt(gone, train), gone);
    Path half = folder.resolve("half.onnx");
    byte[] whole = Files.readAllBytes(demo.data().resolve(DemoSettings.BACKBONE));
    Files.write(half, java.util.Arrays.copyOf(whole, whole.length / 2));
    refused(adapt(half.toString(), train), half.toString());
    refused(adapt(train, train), train);
    refused(adapt(model("bert_legacy17_ort.onnx"), train), "optimised");
    refused(adapt(model("bert_dynamo20.onnx"), train), "not images");
  }

  @Test
  void settings() throws IOException {
    String backbone = data(DemoSettings.BACKBONE);
    String train = data("labelled-images-idx3-ubyte.gz");
    refused(adapt(backbone, train, "--taps", "0,9"), "9");
    refused(adapt(backbone, train, "--device", "tpu"), "tpu", "cuda", "cpu");
    refused(adapt(backbone, train, "--side=none", "--tune=none"), "nothing to train");
    refused(adapt(backbone, train, "--mean", "0.5,0.5"), "mean");
    Files.createDirectory(out);
    Path mine = Files.writeString(out.resolve("mine.txt"), "mine");
    Cli.Outcome full = adapt(backbone, train);
    assertTrue(full.refusal().contains("is not empty"), full.err());
    assertTrue(Files.readString(mine).equals("mine"));
  }

  @Test
  void modelsOfOtherCommands() throws IOException {
    String gone = folder.resolve("gone.onnx").toString();
    String backbone = data(DemoSettings.BACKBONE);
    String test = data("test-images-idx3-ubyte.gz");
    refused(Cli.run("evaluate", "--model", gone, "--data", test), gone);
    refused(Cli.run("evaluate", "--model", backbone, "--data", test), backbone);
    refused(Cli.run("predict", "--model", gone, png("a.png").toString()), gone);
    refused(Cli.run("predict", "--model", test, png("a.png").toString(), "--json"), test);
  }
}
