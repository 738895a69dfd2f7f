package dev.sidefade.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** The one place where errors become a sentence and an exit code. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
  /** The option that shows stack traces. */
  static final String VERBOSE = "--verbose";

  private final List<String> arguments;
  private final Optional<ConfigFile> config;

  /**
   * Errors of one run.
   *
   * @param arguments of the command line
   * @param config where options may come from besides
   */
  Failures(List<String> arguments, Optional<ConfigFile> config) {
    this.arguments = List.copyOf(arguments);
    this.config = config;
  }

  @Override
  public int handleExecutionException(Exception e, CommandLine line, ParseResult parsed) {
    return report(e, line.getErr());
  }

  @Override
  public int handleParseException(ParameterException e, String[] args) {
    CommandLine line = e.getCommandLine();
    List<String> similar =
        e instanceof UnmatchedArgumentException unmatched ? unmatched.getSuggestions() : List.of();
    String hint = similar.isEmpty() ? "" : "; did you mean " + String.join(" or ", similar) + "?";
    String help = "; see " + line.getCommandSpec().qualifiedName() + " --help";
    String message = e.getMessage() + origin(e) + (hint.isEmpty() ? help : hint);
    show(new Failure(message, ExitCode.USAGE), e, line.getErr());
    return ExitCode.USAGE;
  }

  /** Tells what went wrong and returns the exit code. */
  int report(Throwable e, PrintWriter err) {
    Failure failure = Failure.of(e, arguments);
    show(failure, e, err);
    return failure.exitCode();
  }

  private void show(Failure failure, Throwable e, PrintWriter err) {
    err.println("error: " + failure.sentence());
    if (arguments.contains(VERBOSE)) {
      e.printStackTrace(err);
    }
    err.flush();
  }

  /** Names the settings file where the wrong value came from there. */
  private String origin(ParameterException e) {
    if (e.getArgSpec() instanceof OptionSpec option && config.isPresent()) {
      ConfigFile file = config.get();
      if (file.values().containsKey(ConfigFile.key(option))) {
        return " (in " + file.file() + ")";
      }
    }
    return "";
  }
}
