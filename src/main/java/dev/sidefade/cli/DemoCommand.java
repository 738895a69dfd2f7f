package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import dev.sidefade.AdaptResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sidefade demo}. */
@Command(
    name = "demo",
    header = "Adapt a small ViT to handwritten digits: everything needed is shipped.",
    synopsisHeading = "%nUsage: ",
    sortOptions = false,
    description = {
      "200 digits with labels and 600 without teach a backbone that never saw a digit. It takes"
          + " a few minutes at most and ends with a comparison and a report."
    },
    descriptionHeading = "%n",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:failed while running", "2:wrong use or bad input"},
    footerHeading = "%nExamples:%n",
    footer = {"  sidefade demo", "  sidefade demo --out demo-1 --seed 1"})
final class DemoCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "./sidefade-demo",
      description =
          "Folder of the demo; one that an earlier demo made is replaced, any other must be empty"
              + " or not exist (default: ${DEFAULT-VALUE}).")
  private Path out;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Of all random numbers (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Mixin private ThreadOptions threads = new ThreadOptions();

  @Mixin
  @SuppressWarnings("unused") // picocli fills it
  private CommonOptions common;

  private final AdaptRun adapt;

  DemoCommand(AdaptRun adapt) {
    this.adapt = adapt;
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    DemoFolder folder = new DemoFolder(out.normalize());
    AdaptConfig config = DemoSettings.config(folder.data(), folder.result(), seed, threads.count());
    OnnxRuntimeLog.errorsOnly();
    AdaptResult result;
    try (Interruption _ = new Interruption(folder.root(), 3, err, "run the demo again");
        Progress progress = Progress.to(err)) {
      folder.prepare();
      result = adapt.adapt(config, progress);
    }
    AdaptSummary.print(result, spec.commandLine().getOut());
    return ExitCode.OK;
  }
}
