package dev.sidefade.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The many options of {@code adapt} and {@code compare} under headings. (picocli's own groups would
 * do that too, but an option that is given twice makes them forget the others of its group.)
 */
final class OptionSections {
  private static final String NEEDED = "Needed:";

  /** In the order of the help. */
  private static final List<Section> SECTIONS =
      List.of(
          new Section("Task:", "task"),
          new Section("Further data:", "data"),
          new Section("Backbone and side network:", "networks"),
          new Section("The two paths between them, and the mask:", "paths"),
          new Section("Training:", "training"),
          new Section("Exports:", "exports"),
          new Section("The run:", "run"));

  private OptionSections() {}

  /**
   * A heading over the options of a mixin of {@link AdaptOptions}, at any depth, known by the name
   * of its field.
   */
  private record Section(String heading, String mixin) {}

  /** All options of the command, each once. */
  static String render(Help help) {
    CommandSpec options = help.commandSpec().mixins().get("options");
    List<OptionSpec> needed = new ArrayList<>(options.options());
    StringBuilder text = new StringBuilder();
    for (Section section : SECTIONS) {
      // compare has no exports
      List<OptionSpec> own =
          mixin(options, section.mixin).map(CommandSpec::options).orElse(List.of());
      needed.removeAll(own);
      if (!own.isEmpty()) {
        text.append(section(help, section.heading, own));
      }
    }
    return section(help, NEEDED, needed) + text;
  }

  private static Optional<CommandSpec> mixin(CommandSpec options, String name) {
    CommandSpec own = options.mixins().get(name);
    return own != null
        ? Optional.of(own)
        : options.mixins().values().stream().flatMap(m -> mixin(m, name).stream()).findFirst();
  }

  private static String section(Help help, String heading, List<OptionSpec> options) {
    // the width of the first column comes from all options, so that the sections line up
    Help.Layout layout =
        help.createDefaultLayout(help.commandSpec().options(), List.of(), help.colorScheme());
    layout.addOptions(options, help.parameterLabelRenderer());
    return String.format("%n%s%n%s", heading, layout);
  }
}
