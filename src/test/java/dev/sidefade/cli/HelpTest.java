package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.AdaptConfig;
import dev.sidefade.GradientMode;
import dev.sidefade.SideKind;
import dev.sidefade.SideView;
import dev.sidefade.TaskKind;
import dev.sidefade.distill.Direction;
import dev.sidefade.distill.MaskSchedule;
import dev.sidefade.export.Precision;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.train.KlRows;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What --help says. */
class HelpTest {
  private static String help(String... args) {
    Cli.Outcome outcome = Cli.run(args);
    assertEquals(0, outcome.code(), outcome.err());
    assertEquals("", outcome.err());
    return outcome.out();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "adapt|--backbone --train --unlabelled --val --test --out --task --tokenizer --max-length"
            + " --lr-low-rank --gradient-memory --micro-batch --kl-rows --tune --readout --side"
            + " --side-width --taps --features --shallow --deep --generation-ratio --logits"
            + " --temperature --kl-weight --mask-ratio --mask-on --mask-schedule --epochs --batch"
            + " --lr-side --lr-head --lr-norm --label-smoothing --seed --device --threads --config"
            + " --resume --json --verbose --precision --opset --[no-]ort",
        "compare|--backbone --train --unlabelled --val --test --out --task --tokenizer --tune"
            + " --epochs --seeds --variants linear-probe norms-ce norms-smoothing side-kept"
            + " faded-norms low-rank-ce faded-low-rank self-taught --device --config --json"
            + " --verbose",
        "evaluate|--model --tokenizer --data --json --verbose",
        "predict|--model --tokenizer --top --json FILE --verbose",
        "inspect|M.onnx --json --verbose",
        "apply|--base --delta --out --verbose --precision --opset --[no-]ort",
        "demo|--out --seed --threads --verbose ./sidefade-demo",
        "bench|--device --threads --shape --operation --seconds --copy-mib --json --verbose",
        "doctor|--json --verbose"
      })
  void everyOptionOfTheContractIsThere(String command, String options) {
    String help = help(command, "--help");
    for (String option : options.split(" ")) {
      assertTrue(help.contains(option), command + " lacks " + option + "\n" + help);
    }
    assertTrue(help.contains("Exit codes:") && help.contains("Usage: sidefade " + command), help);
    assertTrue(
        help.contains("  sidefade " + command + (command.equals("inspect") ? " vit" : "")), help);
  }

  /** Reading the options of all takes longer than doctor itself. */
  @Test
  void onlyTheCommandThatIsCalledIsRead() {
    assertEquals(Set.of("doctor", "help"), commands("doctor", "--json"));
    assertEquals(10, commands().size());
    for (String first : List.of("help", "doctr", "--version", "--help")) {
      assertEquals(commands(), commands(first, "doctor"), first);
    }
  }

  private static Set<String> commands(String... arguments) {
    return SidefadeCommand.commandLine(
            (config, progress) -> null, Optional.empty(), List.of(arguments))
        .getSubcommands()
        .keySet();
  }

  @Test
  void theSettingsThatCanBeChosenAreListed() {
    String help = help("adapt", "-h");
    assertTrue(help.contains("=cls|mean|cls+mean"), help);
    for (Class<? extends Enum<?>> type :
        List.of(
            TaskKind.class,
            GradientMode.class,
            KlRows.class,
            SideKind.class,
            SideView.class,
            Direction.class,
            MaskPlacement.class,
            MaskSchedule.class,
            DeviceChoice.class,
            Precision.class)) {
      assertTrue(help.contains("=" + String.join("|", Choice.texts(type))), type + "\n" + help);
    }
  }

  @Test
  void exportsSayWhatTheyAre() {
    for (String command : List.of("adapt", "apply")) {
      String help = help(command, "-h").replaceAll("\\s+", " ");
      assertTrue(help.contains("convolutions and embeddings stay in fp32"), help);
      assertTrue(help.contains("optimisations for the processor of this machine"), help);
    }
    assertTrue(help("adapt", "-h").contains("Exports:"));
    assertTrue(!help("compare", "-h").contains("--precision"));
    assertTrue(!help("compare", "-h").contains("Exports:"));
  }

  @Test
  void theKindsOfTuningSayWhatTheyCost() {
    String help = help("adapt", "-h").replaceAll("\\s+", " ");
    for (String kind :
        List.of("none:", "head:", "final-norm:", "norms[:K]:", "biases[:K]:", "low-rank:R[:K]:")) {
      assertTrue(help.contains(" " + kind), kind);
    }
    assertTrue(help.contains("exact gradients") && help.contains("At inference all kinds cost"));
  }

  /** A comparison decides the seed and goes on by itself. */
  @Test
  void compareHasNoSeedAndNoResume() {
    String help = help("compare", "-h");
    assertTrue(!help.contains("--seed=") && !help.contains("--resume"), help);
    assertTrue(help.replaceAll("\\s+", " ").contains("(default: 0,1,2)"), help);
  }

  /** The help tells the defaults that hold, for it asks the library. */
  @Test
  void defaultsAreShown() {
    String help = help("adapt", "-h").replaceAll("\\s+", " ");
    CommandLine adapt =
        SidefadeCommand.commandLine((config, progress) -> null, Optional.empty(), List.of())
            .getSubcommands()
            .get("adapt");
    int shown = 0;
    for (var option : adapt.getCommandSpec().options()) {
      String value = AdaptDefaults.over(Optional.empty()).defaultValue(option);
      if (value != null && !option.longestName().equals("--resume")) {
        int at =
            help.indexOf(
                option
                        .longestName()
                        .replace("--flip", "--[no-]flip")
                        .replace("--ort", "--[no-]ort")
                        .replace("--strict", "--[no-]strict")
                    + "=");
        at = at < 0 ? help.indexOf("--[no-]" + option.longestName().substring(2)) : at;
        int end = help.indexOf(" --", at);
        String text = help.substring(at, end);
        assertTrue(text.contains("(default: " + value + ")"), text);
        shown++;
      }
    }
    assertEquals(40, shown);
  }

  /** The help tells what is usual for pictures and for texts, as the library has it. */
  @Test
  void defaultsByTaskAreShown() {
    String help = help("adapt", "-h").replaceAll("\\s+", " ");
    Map<String, String> images = AdaptDefaults.spelled(usual(TaskKind.IMAGE));
    Map<String, String> texts = AdaptDefaults.spelled(usual(TaskKind.TEXT));
    for (String name : AdaptDefaults.BY_TASK) {
      String image = images.get(name);
      String text = texts.get(name);
      String told = image.equals(text) ? image : image + ", for texts " + text;
      int at = help.indexOf("--" + name + "=");
      String option = help.substring(at, help.indexOf(" --", at));
      assertTrue(option.contains("(default: " + told + ")"), option + ": " + told);
    }
  }

  private static AdaptConfig usual(TaskKind task) {
    AdaptConfig.Builder builder =
        AdaptConfig.builder().backbone(Path.of("b")).train("t").out(Path.of("o")).task(task);
    if (task.isText()) {
      builder.tokenizer(Path.of("t.json"));
    }
    return builder.build();
  }

  @Test
  void theRootListsAllCommands() {
    String help = help("--help");
    for (String command :
        List.of(
            "adapt",
            "compare",
            "evaluate",
            "predict",
            "inspect",
            "apply",
            "demo",
            "bench",
            "doctor")) {
      assertTrue(help.contains("\n  " + command + " "), help);
    }
    assertTrue(
        help.contains("1   failed while running") && help.contains("2   wrong use or bad input"),
        help);
    assertEquals(help("adapt", "--help"), help("help", "adapt"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "adapt",
        "compare",
        "evaluate",
        "predict",
        "inspect",
        "apply",
        "demo",
        "bench",
        "doctor"
      })
  void linesFitATerminal(String command) {
    help(command, "--help").lines().forEach(line -> assertTrue(line.length() <= 100, line));
  }

  @Test
  void theVersionIsPrinted() {
    String version = help("--version");
    assertTrue(version.startsWith("sidefade ") && version.contains("Java 25"), version);
    assertTrue(!version.contains("${"), version);
  }

  @Test
  void withoutACommandTheHelpGoesToTheErrorStream() {
    Cli.Outcome outcome = Cli.run();
    assertEquals(2, outcome.code());
    assertEquals("", outcome.out());
    assertTrue(outcome.err().contains("Usage: sidefade"), outcome.err());
  }
}
