package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a service asks of a predictor of texts, for every task. */
class TextPredictorTest {
  private static final int THREADS = 4;
  private static final int ROUNDS = 5;

  @TempDir static Path folder;
  private static TextFiles files;
  private static final Map<TaskKind, Path> MODELS = new EnumMap<>(TaskKind.class);
  private static Path pairs;

  @BeforeAll
  static void adapt() throws IOException {
    files = new TextFiles(Files.createDirectory(folder.resolve("data")));
    MODELS.put(TaskKind.TEXT, model(TaskKind.TEXT, files.sentiments(32, 8), "sentiments"));
    MODELS.put(TaskKind.REGRESSION, model(TaskKind.REGRESSION, files.grades(32, 8), "grades"));
    MODELS.put(TaskKind.TOKENS, model(TaskKind.TOKENS, files.names(32, 8), "names"));
    pairs = model(TaskKind.TEXT, files.pairs(32, 8), "pairs");
  }

  /** What it learned does not matter here. */
  private static Path model(TaskKind task, TextFiles.Sets sets, String name) throws IOException {
    AdaptConfig config =
        files.config(task, "bert_legacy17", sets, folder.resolve(name)).epochs(1).build();
    return QuickRuns.adapt(config, ProgressListener.SILENT).model().orElseThrow();
  }

  /** More than fit into one batch, of lengths that differ. */
  private static List<String> texts() {
    Random random = new Random(5);
    return IntStream.range(0, 41).mapToObj(i -> TextFiles.sentiment(i % 2 == 0, random)).toList();
  }

  private static TextPredictor open(Path model, PredictionListener listener) throws IOException {
    return TextPredictor.open(model, files.tokenizer(), 1, listener);
  }

  @Test
  void threadsThatShareAPredictorGetTheAnswersOfOne() throws Exception {
    List<String> texts = texts();
    for (Map.Entry<TaskKind, Path> model : MODELS.entrySet()) {
      AtomicInteger heard = new AtomicInteger();
      List<TextPrediction> expected;
      try (TextPredictor alone = open(model.getValue(), PredictionListener.SILENT)) {
        assertEquals(model.getKey(), alone.task());
        expected = alone.predict(texts, List.of(), 2);
      }
      try (TextPredictor shared =
          open(model.getValue(), (examples, time) -> heard.addAndGet(examples))) {
        List<List<List<TextPrediction>>> answers =
            Together.run(
                THREADS,
                () -> {
                  shared.warmUp();
                  List<List<TextPrediction>> rounds = new ArrayList<>();
                  for (int round = 0; round < ROUNDS; round++) {
                    rounds.add(shared.predict(texts, List.of(), 2));
                  }
                  return rounds;
                });
        for (List<List<TextPrediction>> rounds : answers) {
          rounds.forEach(round -> assertEquals(expected, round, model.getKey().toString()));
        }
      }
      assertEquals(THREADS * ROUNDS * texts.size(), heard.get());
    }
  }

  @Test
  void theListenerHearsOfAnswersAlone() throws IOException {
    List<Integer> heard = new ArrayList<>();
    PredictionListener listener =
        (examples, time) -> {
          assertTrue(time.compareTo(Duration.ZERO) > 0);
          heard.add(examples);
        };
    try (TextPredictor predictor = open(MODELS.get(TaskKind.TEXT), listener)) {
      predictor.warmUp();
      assertThrows(
          BadInputException.class, () -> predictor.predict(List.of("film", " "), List.of(), 1));
      assertThrows(BadInputException.class, () -> predictor.predict(List.of("a"), List.of("b"), 1));
      assertEquals(List.of(), predictor.predict(List.of(), List.of(), 1));
      assertEquals(List.of(), heard);
      predictor.predict(texts(), List.of(), 1);
      predictor.predict(List.of("good"), List.of(), 1);
    }
    assertEquals(List.of(41, 1), heard);
  }

  @Test
  void aWarmUpChangesNoAnswer() throws IOException {
    for (Path model : MODELS.values()) {
      try (TextPredictor cold = open(model, PredictionListener.SILENT);
          TextPredictor warm = open(model, PredictionListener.SILENT)) {
        warm.warmUp();
        warm.warmUp();
        assertEquals(cold.predict(texts(), List.of(), 2), warm.predict(texts(), List.of(), 2));
      }
    }
  }

  /** Which takes two texts, as the model does. */
  @Test
  void aModelOfPairsIsWarmedUpToo() throws IOException {
    List<Integer> heard = new ArrayList<>();
    try (TextPredictor predictor = open(pairs, (examples, time) -> heard.add(examples))) {
      assertTrue(predictor.pairs());
      predictor.warmUp();
      assertEquals(List.of(), heard);
      assertEquals(
          2, predictor.predict(List.of("film"), List.of("actor"), 2).getFirst().classes().size());
    }
    assertEquals(List.of(1), heard);
  }

  @Test
  void aListenersFailureIsTheCallers() throws IOException {
    PredictionListener failing =
        (examples, time) -> {
          throw new IllegalStateException("full");
        };
    try (TextPredictor predictor = open(MODELS.get(TaskKind.TEXT), failing)) {
      predictor.warmUp();
      assertThrows(
          IllegalStateException.class, () -> predictor.predict(List.of("film"), List.of(), 1));
    }
  }
}
