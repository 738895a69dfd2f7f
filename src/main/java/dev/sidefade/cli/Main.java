package dev.sidefade.cli;

import dev.sidefade.Sidefade;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;

/**
 * Entry of the command line. Exit codes: 0 done, 1 failed while running, 2 wrong use or bad input.
 */
public final class Main {
  private Main() {}

  /** Runs one command and ends the virtual machine with its exit code. */
  public static void main(String[] args) {
    // JSON is UTF-8 whatever the locale says
    PrintWriter out = writer(FileDescriptor.out);
    PrintWriter err = writer(FileDescriptor.err);
    System.exit(run(Sidefade::adapt, out, err, args));
  }

  /**
   * Runs one command.
   *
   * @param adapt what adapts
   * @param out takes results
   * @param err takes progress and errors
   * @return the exit code
   */
  static int run(AdaptRun adapt, PrintWriter out, PrintWriter err, String... args) {
    List<String> arguments = List.of(args);
    int code;
    try {
      Optional<ConfigFile> config = ConfigFile.namedIn(arguments);
      CommandLine line = SidefadeCommand.commandLine(adapt, config, arguments);
      line.setOut(out);
      line.setErr(err);
      code = line.execute(args);
    } catch (Throwable e) {
      // errors of the virtual machine, which picocli lets through, and an unusable settings file
      code = new Failures(arguments, Optional.empty()).report(e, err);
    }
    err.flush();
    if (out.checkError() && code == CommandLine.ExitCode.OK) {
      err.println("error: the standard output cannot be written; is the disk full?");
      err.flush();
      return CommandLine.ExitCode.SOFTWARE;
    }
    return code;
  }

  private static PrintWriter writer(FileDescriptor stream) {
    return new PrintWriter(
        new OutputStreamWriter(new FileOutputStream(stream), StandardCharsets.UTF_8), true);
  }
}
