package dev.sidefade.cli;

import dev.sidefade.data.UnreadableImageException;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.train.DivergedException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine.ExitCode;

/**
 * What is told about something that went wrong.
 *
 * @param sentence for the person who made the mistake, on one line
 * @param exitCode 2 for wrong use and bad input, 1 for everything else
 */
record Failure(String sentence, int exitCode) {
  private static final int BAD_INPUT = ExitCode.USAGE;
  private static final int FAILED = ExitCode.SOFTWARE;

  Failure {
    sentence = String.join(" ", sentence.lines().map(String::strip).toList());
  }

  /**
   * Finds the words.
   *
   * @param arguments of the command line: a file that is missing is bad input if it was named there
   */
  static Failure of(Throwable thrown, List<String> arguments) {
    Throwable cause = unwrap(thrown);
    return switch (cause) {
      case BadInputException e -> new Failure(e.getMessage(), BAD_INPUT);
      case UnreadableImageException e -> new Failure(e.getMessage(), BAD_INPUT);
      case DivergedException e -> new Failure(e.getMessage(), BAD_INPUT);
      case InvalidPathException e -> new Failure(unusable(e), BAD_INPUT);
      case NoSuchFileException e -> missing(e.getFile(), arguments);
      case IOException e when diskIsFull(e) ->
          new Failure(
              "the disk is full (" + e.getMessage() + "): free some space and run again",
              BAD_INPUT);
      case IOException e -> new Failure(sentence(e), FAILED);
      case OutOfMemoryError e ->
          new Failure(
              "out of memory ("
                  + e.getMessage()
                  + "): turn down --batch, --micro-batch or --side-width, or give Java"
                  + " more with JAVA_TOOL_OPTIONS=-Xmx8g",
              FAILED);
      case LinkageError e ->
          new Failure(
              "a library could not be loaded: "
                  + e.getMessage()
                  + "; sidefade doctor says what is"
                  + " missing, "
                  + Failures.VERBOSE
                  + " shows the stack trace",
              FAILED);
      default ->
          new Failure(
              cause.getClass().getSimpleName()
                  + ": "
                  + cause.getMessage()
                  + "; run again with "
                  + Failures.VERBOSE
                  + " for the stack trace",
              FAILED);
    };
  }

  /** What really happened, below what threads and streams wrap around it. */
  private static Throwable unwrap(Throwable thrown) {
    Throwable cause = thrown;
    while (cause.getCause() != null
        && (cause instanceof UncheckedIOException
            || cause instanceof ExecutionException
            || cause instanceof CompletionException
            || cause instanceof ExceptionInInitializerError
            || cause instanceof picocli.CommandLine.ExecutionException)) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** Mostly a locale without UTF-8, in which names with other letters than ASCII do not exist. */
  private static String unusable(InvalidPathException e) {
    return "'"
        + e.getInput()
        + "' cannot be the name of a file here ("
        + e.getReason()
        + "): choose another name, or set the locale to one with UTF-8, as with LC_ALL=C.UTF-8";
  }

  private static Failure missing(String file, List<String> arguments) {
    // a file counts as named whether alone, as --option=FILE or in IMAGES,LABELS
    boolean named =
        file != null
            && arguments.stream()
                .anyMatch(argument ->
                    argument.equals(file)
                        || argument.endsWith("=" + file)
                        || List.of(argument.split(",")).contains(file));
    return new Failure(file + " does not exist; check the path", named ? BAD_INPUT : FAILED);
  }

  private static boolean diskIsFull(IOException e) {
    String message = String.valueOf(e.getMessage());
    return message.contains("No space left on device") || message.contains("Disk quota exceeded");
  }

  private static String sentence(IOException e) {
    String message = String.valueOf(e.getMessage());
    return switch (e) {
      case AccessDeniedException denied ->
          "permission denied for "
              + denied.getFile()
              + ": choose another path or change its permissions";
      case FileNotFoundException missing -> message + "; check the path";
      case FileSystemException system ->
          system.getFile() + " cannot be read or written: " + reason(system);
      default ->
          "reading or writing failed: "
              + message
              + "; run again with "
              + Failures.VERBOSE
              + " for the stack trace";
    };
  }

  private static String reason(FileSystemException e) {
    return e.getReason() != null
        ? e.getReason()
        : switch (e) {
          case java.nio.file.FileAlreadyExistsException exists -> "it exists already";
          case java.nio.file.NotDirectoryException file -> "it is not a folder";
          case java.nio.file.DirectoryNotEmptyException full -> "the folder is not empty";
          default -> e.getClass().getSimpleName();
        };
  }
}
