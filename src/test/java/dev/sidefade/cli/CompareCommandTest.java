package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.AdaptConfig;
import dev.sidefade.Tune;
import dev.sidefade.train.DivergedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What compare runs and prints; the adaptations are pretended. */
class CompareCommandTest {
  @TempDir private Path folder;

  private final List<AdaptConfig> runs = new ArrayList<>();

  private final AdaptRun adapt =
      (config, progress) -> {
        runs.add(config);
        return Cli.writing(Cli.reportOf(config)).adapt(config, progress);
      };

  private Cli.Outcome compare(String... more) {
    List<String> args =
        new ArrayList<>(
            List.of("compare", "--backbone=b", "--train=t", "--out=" + folder.resolve("o")));
    args.addAll(List.of(more));
    return Cli.run(adapt, args.toArray(String[]::new));
  }

  @Test
  void everyVariantIsRunWithEverySeed() {
    Cli.Outcome outcome = compare("--epochs=3", "--tune=low-rank:2:1");
    assertEquals(0, outcome.code(), outcome.err());
    assertEquals(24, runs.size());
    assertEquals(List.of(0L, 0L), runs.subList(0, 2).stream().map(AdaptConfig::seed).toList());
    assertEquals(2, runs.getLast().seed());
    assertTrue(runs.stream().allMatch(run -> run.epochs() == 3));
    assertEquals(Tune.lowRank(2).inLastBlocks(1), runs.getLast().tune());
    assertTrue(outcome.out().contains("faded-low-rank"), outcome.out());
    assertTrue(outcome.out().contains("3 of 3"), outcome.out());
    String last = outcome.out().strip().lines().toList().getLast();
    assertEquals("report     " + folder.resolve("o/compare.html"), last);
    assertTrue(outcome.err().contains("note: run 24 of 24: self-taught, seed 2"), outcome.err());
  }

  @Test
  void programsGetJsonAndNothingElse() {
    Cli.Outcome outcome = compare("--json", "--seeds=2", "--variants=norms-ce, side-kept");
    JsonObject json = JsonParser.parseString(outcome.out()).getAsJsonObject();
    assertEquals(4, json.get("runs_finished").getAsInt());
    assertEquals(2, json.getAsJsonArray("variants").size());
    assertEquals(4, runs.size());
  }

  @Test
  void theSameCommandGoesOn() throws IOException {
    assertEquals(0, compare("--seeds=1", "--variants=norms-ce,faded-norms").code());
    assertEquals(2, runs.size());
    assertEquals(0, compare("--seeds=2", "--variants=norms-ce,faded-norms").code());
    assertEquals(4, runs.size());
    Cli.Outcome outcome = compare("--seeds=2", "--variants=norms-ce,faded-norms");
    assertEquals(0, outcome.code());
    assertEquals("", outcome.err());
    assertEquals(4, runs.size());
    assertTrue(Files.readString(folder.resolve("o/compare.md")).contains("| 2 of 2 |"));
  }

  @Test
  void whatFailsLeavesWhatIsFinished() throws IOException {
    AdaptRun failing =
        (config, progress) -> {
          if (runs.size() == 2) {
            throw new DivergedException("the loss", 3, Double.NaN);
          }
          return adapt.adapt(config, progress);
        };
    Cli.Outcome outcome =
        Cli.run(failing, "compare", "--backbone=b", "--train=t", "--out=" + folder.resolve("o"));
    assertEquals(2, outcome.code());
    assertTrue(outcome.err().contains("error: training diverged at step 3"), outcome.err());
    String json = Files.readString(folder.resolve("o/compare.json"));
    assertEquals(2, JsonParser.parseString(json).getAsJsonObject().get("runs_finished").getAsInt());
  }

  @Test
  void wrongUseIsRefusedInOneSentence() throws IOException {
    for (String[] bad :
        new String[][] {
          {"--variants=norms", "linear-probe"},
          {"--variants=norms-ce,", "''"},
          {"--variants=norms-ce,norms-ce", "all different"},
          {"--seeds=1,1", "named twice"},
          {"--seeds=few", "0,1,2"},
          {"--seed=3", "--seeds"},
          {"--tune=some", "what to tune"},
          {"--epochs=0", "epochs"}
        }) {
      String sentence = compare(bad[0]).refusal();
      assertTrue(sentence.contains(bad[1]), sentence);
    }
    assertEquals(List.of(), runs);
    assertFalse(Files.exists(folder.resolve("o")), "something was left behind");
  }

  @Test
  void regressionsHaveNoLabelsToSmooth() {
    Cli.Outcome all = compare("--task=regression", "--tokenizer=t", "--seeds=1");
    assertEquals(0, all.code(), all.err());
    assertEquals(7, runs.size());
    String sentence =
        compare("--task=regression", "--tokenizer=t", "--variants=norms-smoothing").refusal();
    assertTrue(sentence.contains("norms-smoothing"), sentence);
  }
}
