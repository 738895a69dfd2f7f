package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import javax.imageio.ImageIO;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every example that needs no GPU, compiled without a warning and run. */
class ExamplesTest {
  private static final int IMAGES = 9;

  @TempDir static Path folder;
  private static Path classes;
  private static Path model;
  private static Path images;

  /** What the predictor says of the images, in the order of their names. */
  private static final List<String> expected = new ArrayList<>();

  @BeforeAll
  static void prepare() throws IOException {
    classes = Files.createDirectory(folder.resolve("classes"));
    compile();
    model =
        QuickRuns.adapt(QuickRuns.digits(folder, "cpu").build(), ProgressListener.SILENT)
            .model()
            .orElseThrow();
    images = Files.createDirectory(folder.resolve("images"));
    drawDigits();
    try (Predictor predictor = Predictor.open(model, 1)) {
      for (int i = 0; i < IMAGES; i++) {
        Path image = images.resolve(i + ".png");
        expected.add(i + ".png\t" + predictor.predict(image, 1).getFirst().label());
      }
    }
  }

  private static void compile() throws IOException {
    List<Path> sources;
    try (Stream<Path> all = Files.walk(Path.of("examples"))) {
      sources = all.filter(file -> file.toString().endsWith(".java")).toList();
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    List<String> options =
        List.of(
            "-Xlint:all", "-Werror", "-proc:none", "-cp", classPath(), "-d", classes.toString());
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
      var units = files.getJavaFileObjectsFromPaths(sources);
      boolean compiled = compiler.getTask(messages, files, null, options, null, units).call();
      assertTrue(compiled, messages.toString());
    }
  }

  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  /** The first images of the test set as PNG files. */
  private static void drawDigits() throws IOException {
    Path idx = folder.resolve("data").resolve("test-images-idx3-ubyte.gz");
    try (DataInputStream in = new DataInputStream(new GZIPInputStream(Files.newInputStream(idx)))) {
      in.skipNBytes(8);
      int height = in.readInt();
      int width = in.readInt();
      for (int i = 0; i < IMAGES; i++) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
        for (int p = 0; p < height * width; p++) {
          image.getRaster().setSample(p % width, p / width, 0, in.readUnsignedByte());
        }
        ImageIO.write(image, "png", images.resolve(i + ".png").toFile());
      }
    }
  }

  /** Runs an example in this process and returns the lines that it printed. */
  private static List<String> run(String example, String... arguments) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream before = System.out;
    try (URLClassLoader loader =
            new URLClassLoader(
                new URL[] {classes.toUri().toURL()}, ExamplesTest.class.getClassLoader());
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      System.setOut(out);
      loader.loadClass(example).getMethod("main", String[].class).invoke(null, (Object) arguments);
    } catch (InvocationTargetException e) {
      throw new AssertionError(example + " failed after: " + bytes, e.getCause());
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void aStudentLearnsByTheKernelAlone() throws Exception {
    List<String> lines = run("LogitDistillation");
    assertEquals(6, lines.size(), lines.toString());
    // equal logits: ln 3 at first
    assertTrue(lines.getFirst().startsWith("step   0: cross-entropy 1.0986"), lines.toString());
    assertTrue(Double.parseDouble(lines.get(4).replaceAll(".*KL ", "")) < 0.1, lines.toString());
  }

  @Test
  void imagesAreAdaptedAndReported() throws Exception {
    Path data = folder.resolve("data");
    Path out = folder.resolve("images-out");
    List<String> lines =
        run(
            "AdaptImages",
            data.resolve("vit28p7d128.onnx").toString(),
            data.resolve("labelled-images-idx3-ubyte.gz").toString(),
            data.resolve("val-images-idx3-ubyte.gz").toString(),
            out.toString(),
            "1");
    assertEquals("model: " + out.resolve("model.onnx"), lines.getFirst());
    assertTrue(Files.size(out.resolve("model.onnx")) > 0);
    assertTrue(Files.size(out.resolve("report.html")) > 0);
  }

  @Test
  void textsAreAdaptedAndAsked() throws Exception {
    TextFiles files = new TextFiles(Files.createDirectory(folder.resolve("texts")));
    TextFiles.Sets sets = files.sentiments(60, 30);
    List<String> lines =
        run(
            "AdaptTexts",
            files.backbone("minilm_legacy11").toString(),
            files.tokenizer().toString(),
            sets.train().toString(),
            sets.validation().toString(),
            folder.resolve("texts-out").toString(),
            "1");
    assertEquals(2, lines.size(), lines.toString());
    assertTrue(lines.stream().allMatch(line -> line.startsWith("Prediction[")), lines.toString());
  }

  @Test
  void onnxRuntimeAloneSaysWhatThePredictorSays() throws Exception {
    // batches of 4, 4 and 1
    assertEquals(expected, run("BatchInference", model.toString(), images.toString(), "4"));
    assertNotEquals(1, expected.stream().map(line -> line.split("\t", -1)[1]).distinct().count());
  }

  @Test
  void theServiceAnswersAllAndCountsThem() throws Exception {
    List<String> lines = run("PredictionService", model.toString(), images.toString());
    assertEquals(expected, lines.subList(0, IMAGES));
    assertTrue(lines.getLast().startsWith(IMAGES + " calls, "), lines.toString());
  }

  @Test
  void theListenerHearsOfCallsAndNotOfTheWarmUp() throws IOException {
    List<Integer> heard = Collections.synchronizedList(new ArrayList<>());
    PredictionListener listener =
        (examples, time) -> {
          assertTrue(time.compareTo(Duration.ZERO) > 0);
          heard.add(examples);
        };
    try (Predictor predictor = Predictor.open(model, 1, listener)) {
      predictor.warmUp();
      assertEquals(List.of(), heard);
      predictor.predict(images.resolve("0.png"), 1);
      predictor.predict(images.resolve("1.png"), 2);
    }
    assertEquals(List.of(1, 1), heard);
  }
}
