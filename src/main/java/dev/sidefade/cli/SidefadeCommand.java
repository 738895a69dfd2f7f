package dev.sidefade.cli;

import dev.sidefade.GradientMode;
import dev.sidefade.SideKind;
import dev.sidefade.SideView;
import dev.sidefade.TaskKind;
import dev.sidefade.TeacherKind;
import dev.sidefade.Tune;
import dev.sidefade.distill.Direction;
import dev.sidefade.distill.MaskSchedule;
import dev.sidefade.export.Precision;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.train.KlRows;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The root of the command line. */
@Command(
    name = "sidefade",
    versionProvider = VersionText.class,
    header = "Adapts a pretrained ONNX model to your examples, on the JVM.",
    synopsisHeading = "%nUsage: ",
    description = {
      "A small side network is trained beside the frozen backbone, teaches it, and fades: what"
          + " comes out is the backbone's own graph with new constants, as fast as before."
    },
    synopsisSubcommandLabel = "COMMAND",
    commandListHeading = "%nCommands:%n",
    descriptionHeading = "%n",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:failed while running", "2:wrong use or bad input"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  sidefade demo",
      "  sidefade inspect vit.onnx",
      "  sidefade adapt --backbone vit.onnx --train flowers/train --out flowers-model",
      "  sidefade predict --model flowers-model/model.onnx rose.jpg",
      "  sidefade compare --backbone vit.onnx --train flowers/train --out table"
    })
final class SidefadeCommand implements Callable<Integer> {
  /** What a user may choose; classes of words are read from every token in any case. */
  static final List<Pooling> READOUTS = List.of(Pooling.CLS, Pooling.MEAN, Pooling.CLS_MEAN);

  @Spec private CommandSpec spec;

  @Mixin
  @SuppressWarnings("unused") // picocli fills it
  private CommonOptions common;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version and exit.")
  @SuppressWarnings("unused") // picocli fills it
  private boolean version;

  /** Without a command there is nothing to do: shows the help on the error stream. */
  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return CommandLine.ExitCode.USAGE;
  }

  /**
   * The command line, its streams not yet set: the command that the first argument names, or all.
   *
   * @param adapt what adapts
   * @param config settings that a file gave; the command line wins over them
   * @param arguments what will be parsed; also for messages about files that the user named
   */
  static CommandLine commandLine(
      AdaptRun adapt, Optional<ConfigFile> config, List<String> arguments) {
    CommandLine line = new CommandLine(new SidefadeCommand());
    Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
    commands.put("adapt", () -> manyOptions(new AdaptCommand(adapt), config));
    commands.put("compare", () -> manyOptions(new CompareCommand(adapt), config));
    commands.put("evaluate", EvaluateCommand::new);
    commands.put("predict", PredictCommand::new);
    commands.put("inspect", InspectCommand::new);
    commands.put("apply", ApplyCommand::new);
    commands.put("demo", () -> new DemoCommand(adapt));
    commands.put("bench", BenchCommand::new);
    commands.put("doctor", DoctorCommand::new);
    // reading the options of all commands takes longer than a short command runs
    Optional<String> called = arguments.stream().findFirst().filter(commands::containsKey);
    called.ifPresent(name -> commands.keySet().retainAll(Set.of(name)));
    commands.forEach((name, command) -> line.addSubcommand(name, command.get()));
    line.addSubcommand("help", new HelpCommand());
    registerChoices(line);
    // an image may be called @rose.png
    line.setExpandAtFiles(false);
    line.setUsageHelpLongOptionsMaxWidth(30);
    line.setUsageHelpWidth(100);
    Failures failures = new Failures(arguments, config);
    line.setExecutionExceptionHandler(failures);
    line.setParameterExceptionHandler(failures);
    return line;
  }

  private static CommandLine manyOptions(Object command, Optional<ConfigFile> config) {
    CommandLine line = new CommandLine(command);
    line.setDefaultValueProvider(AdaptDefaults.over(config));
    line.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, OptionSections::render);
    return line;
  }

  private static void registerChoices(CommandLine line) {
    line.registerConverter(Tune.class, new TuneConverter());
    line.registerConverter(TaskKind.class, Choice.converter(TaskKind.class));
    line.registerConverter(GradientMode.class, Choice.converter(GradientMode.class));
    line.registerConverter(KlRows.class, Choice.converter(KlRows.class));
    line.registerConverter(TeacherKind.class, Choice.converter(TeacherKind.class));
    line.registerConverter(KlChoice.class, new KlChoice.Converter());
    line.registerConverter(SeedList.class, new SeedList.Converter());
    line.registerConverter(Precision.class, Choice.converter(Precision.class));
    line.registerConverter(Pooling.class, Choice.converter(Pooling.class, READOUTS));
    line.registerConverter(SideKind.class, Choice.converter(SideKind.class));
    line.registerConverter(SideView.class, Choice.converter(SideView.class));
    line.registerConverter(Direction.class, Choice.converter(Direction.class));
    line.registerConverter(MaskPlacement.class, Choice.converter(MaskPlacement.class));
    line.registerConverter(MaskSchedule.class, Choice.converter(MaskSchedule.class));
    line.registerConverter(DeviceChoice.class, Choice.converter(DeviceChoice.class));
    line.registerConverter(BenchShape.class, Choice.converter(BenchShape.class));
    line.registerConverter(LayerList.class, new LayerList.Converter());
  }
}
