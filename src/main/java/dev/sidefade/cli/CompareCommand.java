package dev.sidefade.cli;

import dev.sidefade.CompareConfig;
import dev.sidefade.CompareResult;
import dev.sidefade.Comparison;
import dev.sidefade.report.CompareTable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sidefade compare}. */
@Command(
    name = "compare",
    header = "Compare ways to adapt on the same examples and seeds.",
    synopsisHeading = "%nUsage: ",
    sortOptions = false,
    abbreviateSynopsis = true,
    descriptionHeading = "%n",
    description = {
      "Runs adapt for every seed and variant: a linear probe; all layer norms on labels alone and"
          + " on smoothed labels; a side network that is kept; layer norms taught by a side network"
          + " that fades; low-rank changes on labels alone, taught likewise, and taught by a"
          + " running mean of the backbone itself. Options of adapt hold for all of them, but those"
          + " for further exports; --tune gives rank and blocks, --side the kind of side network.",
      "After every run the table in --out is written anew. The same command goes on after a kill."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed while running; finished runs stay",
      "2:wrong use or bad input; finished runs stay"
    },
    footerHeading = "%nIn use:%n",
    footer = {
      "  sidefade compare --backbone vit.onnx --train flowers/train --test flowers/test --out"
          + " table",
      "  sidefade compare --backbone minilm.onnx --task text --tokenizer tokenizer.json \\",
      "      --train train.tsv --test test.tsv --seeds 3 --variants norms-ce,faded-norms \\",
      "      --out table"
    })
final class CompareCommand implements Callable<Integer> {
  /** A run keeps its files two folders below, some of them in folders of their own. */
  private static final int DEPTH = 5;

  @Spec private CommandSpec spec;

  @Mixin private CompareOptions options = new CompareOptions();

  private final AdaptRun adapt;

  CompareCommand(AdaptRun adapt) {
    this.adapt = adapt;
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    CompareConfig config = options.toConfig();
    OnnxRuntimeLog.errorsOnly();
    CompareResult result;
    try (Interruption _ =
            new Interruption(
                config.shared().out(), DEPTH, err, "the same command goes on from here");
        Progress progress = Progress.to(err)) {
      result = Comparison.run(config, progress, adapt::adapt);
    }
    if (options.json()) {
      out.println(Files.readString(result.json()).strip());
    } else {
      out.println();
      out.println(CompareTable.asText(result.report()).stripTrailing());
      out.println();
      out.println("table      " + result.markdown());
      out.println("metrics    " + result.json());
      out.println("report     " + result.html());
    }
    return ExitCode.OK;
  }
}
