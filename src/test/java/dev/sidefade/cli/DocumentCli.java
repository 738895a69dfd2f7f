package dev.sidefade.cli;

import dev.sidefade.QuickRuns;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The command line as commands of the documents are run: every option that they give is parsed and
 * holds, and what they leave to a default that takes long gets a shorter one. Latencies of exported
 * models are not measured.
 */
public final class DocumentCli {
  /** Per command, what is given where the document does not say it. */
  private static final Map<String, Map<String, String>> SHORTER =
      Map.of(
          "adapt", Map.of("--epochs", "1"),
          "compare", Map.of("--epochs", "1", "--variants", "linear-probe,faded-low-rank"),
          "bench", Map.of("--seconds", "0.01", "--copy-mib", "16", "--shape", "demo"));

  private DocumentCli() {}

  /** Runs one command and ends the virtual machine with its exit code. */
  public static void main(String[] args) {
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    System.exit(Main.run(QuickRuns::adapt, out, err, shorter(args).toArray(String[]::new)));
  }

  private static List<String> shorter(String[] args) {
    List<String> all = new ArrayList<>(List.of(args));
    if (args.length == 0) {
      return all;
    }
    SHORTER
        .getOrDefault(args[0], Map.of())
        .forEach((option, value) -> {
          if (all.stream().noneMatch(arg -> arg.equals(option))) {
            all.add(option);
            all.add(value);
            System.err.println("documents: with " + option + " " + value);
          }
        });
    return all;
  }
}
