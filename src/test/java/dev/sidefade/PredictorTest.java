package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a service asks of a predictor of images. */
class PredictorTest {
  private static final int IMAGES = 6;
  private static final int THREADS = 4;
  private static final int ROUNDS = 5;

  @TempDir static Path folder;
  private static Path model;

  @BeforeAll
  static void adapt() throws IOException {
    AdaptConfig config = QuickRuns.digits(folder, "cpu").build();
    model = QuickRuns.adapt(config, ProgressListener.SILENT).model().orElseThrow();
    Random random = new Random(1);
    for (int i = 0; i < IMAGES; i++) {
      // sizes that are not the model's
      BufferedImage image = new BufferedImage(20 + 7 * i, 31, BufferedImage.TYPE_INT_RGB);
      for (int pixel = 0; pixel < image.getWidth() * image.getHeight(); pixel++) {
        int x = pixel % image.getWidth();
        image.setRGB(x, pixel / image.getWidth(), random.nextInt(1 << 24));
      }
      ImageIO.write(image, "png", image(i).toFile());
    }
  }

  private static Path image(int i) {
    return folder.resolve(i + ".png");
  }

  private static List<List<Prediction>> all(Predictor predictor) throws IOException {
    List<List<Prediction>> answers = new ArrayList<>();
    for (int i = 0; i < IMAGES; i++) {
      answers.add(predictor.predict(image(i), 3));
    }
    return answers;
  }

  @Test
  void threadsThatShareAPredictorGetTheAnswersOfOne() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    AtomicLong nanoseconds = new AtomicLong();
    PredictionListener listener =
        (examples, time) -> {
          calls.addAndGet(examples);
          nanoseconds.addAndGet(time.toNanos());
        };
    List<List<Prediction>> expected;
    try (Predictor alone = Predictor.open(model, 1)) {
      expected = all(alone);
    }
    assertNotEquals(expected.getFirst(), expected.getLast());
    try (Predictor shared = Predictor.open(model, 1, listener)) {
      List<List<List<List<Prediction>>>> answers =
          Together.run(
              THREADS,
              () -> {
                shared.warmUp();
                List<List<List<Prediction>>> rounds = new ArrayList<>();
                for (int round = 0; round < ROUNDS; round++) {
                  rounds.add(all(shared));
                }
                return rounds;
              });
      for (List<List<List<Prediction>>> rounds : answers) {
        rounds.forEach(round -> assertEquals(expected, round));
      }
    }
    assertEquals(THREADS * ROUNDS * IMAGES, calls.get());
    assertTrue(nanoseconds.get() > 0);
  }

  @Test
  void theListenerHearsOfAnswersAlone() throws IOException {
    List<Duration> heard = new ArrayList<>();
    Path broken = Files.writeString(folder.resolve("broken.png"), "no image");
    try (Predictor predictor = Predictor.open(model, 1, (examples, time) -> heard.add(time))) {
      predictor.warmUp();
      assertThrows(BadInputException.class, () -> predictor.predict(broken, 1));
      Path none = folder.resolve("none.png");
      assertThrows(BadInputException.class, () -> predictor.predict(none, 1));
      assertEquals(List.of(), heard);
      // after failures it still works
      assertEquals(1, predictor.predict(image(0), 1).size());
    }
    assertEquals(1, heard.size());
  }

  @Test
  void aWarmUpChangesNoAnswer() throws IOException {
    try (Predictor cold = Predictor.open(model, 1);
        Predictor warm = Predictor.open(model, 1)) {
      warm.warmUp();
      warm.warmUp();
      assertEquals(all(cold), all(warm));
    }
  }

  @Test
  void aListenersFailureIsTheCallers() throws IOException {
    PredictionListener failing =
        (examples, time) -> {
          throw new IllegalStateException("full");
        };
    try (Predictor predictor = Predictor.open(model, 1, failing)) {
      predictor.warmUp();
      assertThrows(IllegalStateException.class, () -> predictor.predict(image(0), 1));
    }
  }

  @Test
  void whatIsNoExportedModelIsRefused() {
    Path backbone = folder.resolve("data").resolve("vit28p7d128.onnx");
    assertTrue(Files.exists(backbone));
    BadInputException e =
        assertThrows(BadInputException.class, () -> Predictor.open(backbone, 1).close());
    assertTrue(e.getMessage().contains("use a model that adapt exported"), e.getMessage());
  }
}
