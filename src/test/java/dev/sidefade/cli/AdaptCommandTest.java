package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.report.Headline;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What adapt and demo print. */
class AdaptCommandTest {
  @TempDir private Path folder;

  private Cli.Outcome adapt(String... more) {
    String[] args = new String[4 + more.length];
    args[0] = "adapt";
    args[1] = "--backbone=b";
    args[2] = "--train=t";
    args[3] = "--out=" + folder.resolve("o");
    System.arraycopy(more, 0, args, 4, more.length);
    return Cli.run(Cli.writing(Cli.report()), args);
  }

  @Test
  void peopleGetTheComparisonAndThePaths() {
    Cli.Outcome outcome = adapt();
    assertEquals(0, outcome.code(), outcome.err());
    assertTrue(outcome.out().contains(Headline.asText(Cli.report()).strip()), outcome.out());
    assertTrue(outcome.out().contains(folder.resolve("o/model.onnx").toString()), outcome.out());
    assertFalse(outcome.out().contains("delta"), outcome.out());
    String last = outcome.out().strip().lines().toList().getLast();
    assertEquals("report     " + folder.resolve("o/report.html"), last);
  }

  @Test
  void programsGetJsonAndNothingElse() {
    Cli.Outcome outcome = adapt("--json");
    assertEquals(0, outcome.code(), outcome.err());
    JsonObject json = JsonParser.parseString(outcome.out()).getAsJsonObject();
    JsonObject test = json.getAsJsonObject("accuracy").getAsJsonObject("test");
    assertEquals(0.75, test.get("faded").getAsDouble());
  }

  @Test
  void progressGoesToTheErrorStream() {
    String err = adapt().err();
    assertTrue(err.contains("training: 20 steps"), err);
    assertTrue(err.contains("note: 2 images were left out"), err);
    assertTrue(err.contains("training: done in"), err);
    assertFalse(err.contains("\r"), err);
    assertEquals(3, err.lines().count(), err);
  }

  @Test
  void theDemoEndsWithTheReport() {
    Path out = folder.resolve("demo");
    Cli.Outcome outcome =
        Cli.run(Cli.writing(Cli.report()), "demo", "--out", out.toString(), "--seed", "3");
    assertEquals(0, outcome.code(), outcome.err());
    assertTrue(outcome.out().contains("Faded"), outcome.out());
    assertTrue(outcome.out().strip().endsWith("report.html"), outcome.out());
  }
}
