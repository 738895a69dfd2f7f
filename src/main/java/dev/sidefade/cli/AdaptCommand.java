package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import dev.sidefade.AdaptResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sidefade adapt}. */
@Command(
    name = "adapt",
    header = "Adapt a pretrained ONNX model to examples.",
    synopsisHeading = "%nUsage: ",
    sortOptions = false,
    abbreviateSynopsis = true,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed while running",
      "2:wrong use or bad input; nothing half-written is left behind"
    },
    footerHeading = "%nIn use:%n",
    footer = {
      "  sidefade adapt --backbone vit.onnx --train flowers/train --test flowers/test --out result",
      "  sidefade adapt --backbone vit.onnx --train train.txt --unlabelled more/ --readout cls+mean"
          + " \\",
      "      --out result --json > metrics.json",
      "  sidefade adapt --config settings.json --seed 1 --out result-1",
      "  where settings.json is {\"backbone\": \"vit.onnx\", \"train\": \"flowers/train\","
          + " \"epochs\": 25}"
    })
final class AdaptCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private AdaptOptions options = new AdaptOptions();

  private final AdaptRun adapt;

  AdaptCommand(AdaptRun adapt) {
    this.adapt = adapt;
  }

  /** What the options mean; to be called after parsing. */
  AdaptConfig config() {
    return options.toConfig();
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    AdaptConfig config = config();
    OnnxRuntimeLog.errorsOnly();
    AdaptResult result;
    try (Interruption _ =
            new Interruption(
                config.out(), 3, err, "run again with --resume to go on from the last checkpoint");
        Progress progress = Progress.to(err)) {
      result = adapt.adapt(config, progress);
    }
    if (options.json()) {
      out.println(Files.readString(result.metrics()).strip());
    } else {
      AdaptSummary.print(result, out);
    }
    return ExitCode.OK;
  }
}
