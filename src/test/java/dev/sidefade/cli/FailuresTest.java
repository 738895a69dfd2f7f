package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.data.UnreadableImageException;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.train.DivergedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

/** Errors become one sentence and an exit code. */
class FailuresTest {
  private static final String[] ADAPT = {
    "adapt", "--backbone=b", "--train", "t.idx,l.idx", "--out=o"
  };

  private static Cli.Outcome failing(Throwable thrown, String... more) {
    String[] args = new String[ADAPT.length + more.length];
    System.arraycopy(ADAPT, 0, args, 0, ADAPT.length);
    System.arraycopy(more, 0, args, ADAPT.length, more.length);
    return Cli.run(
        (config, progress) -> {
          switch (thrown) {
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new AssertionError(thrown);
          }
        },
        args);
  }

  private static void check(int code, String says, Throwable thrown) {
    Cli.Outcome outcome = failing(thrown);
    assertEquals(code, outcome.code(), outcome.err());
    assertEquals("", outcome.out());
    String sentence = outcome.sentence();
    assertTrue(sentence.startsWith("error: ") && sentence.contains(says), sentence);
  }

  @Test
  void badInputIsTwo() {
    check(2, "folder x is empty", new BadInputException("folder x is empty"));
    check(
        2,
        "image a.png cannot be read: truncated",
        new UnreadableImageException("a.png", "truncated"));
    check(
        2,
        "diverged at step 7: imitation is NaN",
        new DivergedException("imitation", 7, Double.NaN));
    check(2, "inside", new CompletionException(new BadInputException("inside")));
    check(2, "one line", new BadInputException("one\n  line"));
  }

  @Test
  void aMissingFileIsBadInputIfTheUserNamedIt() {
    check(2, "b does not exist", new NoSuchFileException("b"));
    check(2, "l.idx does not exist", new NoSuchFileException("l.idx"));
    check(1, "elsewhere does not exist", new NoSuchFileException("elsewhere"));
  }

  @Test
  void aNameThatNoFileCanHaveIsTwo() {
    check(
        2,
        "'b\u00fc' cannot be the name of a file here (Malformed input): choose another name, or"
            + " set the locale",
        new InvalidPathException("b\u00fc", "Malformed input"));
  }

  @Test
  void aFullDiskIsTwo() {
    check(2, "the disk is full", new IOException("No space left on device"));
    check(
        2,
        "the disk is full",
        new UncheckedIOException(
            new FileSystemException("o/model.onnx", null, "No space left on device")));
  }

  @Test
  void theSystemsFailuresAreOne() {
    check(1, "permission denied for o", new AccessDeniedException("o"));
    check(
        1,
        "o/x cannot be read or written: Is a directory",
        new FileSystemException("o/x", null, "Is a directory"));
    check(1, "reading or writing failed: broken", new IOException("broken"));
  }

  @Test
  void everythingElseIsOneAndTellsHowToSeeMore() {
    check(
        1,
        "IllegalStateException: odd; run again with --verbose",
        new IllegalStateException("odd"));
    check(1, "turn down --batch", new OutOfMemoryError("Java heap space"));
    check(1, "sidefade doctor", new UnsatisfiedLinkError("no onnxruntime in java.library.path"));
  }

  @Test
  void verboseShowsTheStackTrace() {
    for (Throwable thrown :
        List.of(
            new IllegalStateException("odd"),
            new BadInputException("bad"),
            new OutOfMemoryError("heap"))) {
      String err = failing(thrown, "--verbose").err();
      assertTrue(err.contains("\tat dev.sidefade.cli.FailuresTest"), err);
      assertTrue(err.startsWith("error: "), err);
    }
    Cli.Outcome parsing = Cli.run("evaluate", "--verbose", "--nonsense");
    assertEquals(2, parsing.code());
    assertTrue(parsing.err().contains("\tat "), parsing.err());
  }

  @Test
  void wrappersAreTakenOff() {
    Failure failure =
        Failure.of(new UncheckedIOException(new IOException("No space left on device")), List.of());
    assertTrue(failure.sentence().startsWith("the disk is full"), failure.sentence());
    Failure nested =
        Failure.of(
            new ExecutionException(new CompletionException(new BadInputException("deep"))),
            List.of());
    assertEquals(new Failure("deep", 2), nested);
  }

  @Test
  void anUnknownCommandIsWrongUse() {
    String sentence = Cli.run("adpt").refusal();
    assertTrue(sentence.contains("adpt") && sentence.contains("did you mean adapt"), sentence);
    assertFalse(Cli.run("@args").refusal().isEmpty());
  }
}
