package dev.sidefade.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sidefade doctor}. */
@Command(
    name = "doctor",
    header = "Say what was found on this machine, what was not, and why.",
    synopsisHeading = "%nUsage: ",
    sortOptions = false,
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done, whatever was found", "2:wrong use"},
    footerHeading = "%nExamples:%n",
    footer = {"  sidefade doctor", "  sidefade doctor --json"})
final class DoctorCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--json",
      description =
          "Print {\"findings\":[{\"topic\",\"ok\",\"detail\",\"advice\"}]} on the standard output.")
  private boolean json;

  @Mixin
  @SuppressWarnings("unused") // picocli fills it
  private CommonOptions common;

  @Override
  public Integer call() {
    List<Finding> findings = Checkup.all();
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.indented(toJson(findings)));
      return ExitCode.OK;
    }
    for (Finding finding : findings) {
      out.println(
          "%s %-16s %s"
              .formatted(finding.ok() ? "ok  " : "miss", finding.topic(), finding.detail()));
      finding.advice().ifPresent(advice -> out.println(" ".repeat(22) + advice));
    }
    return ExitCode.OK;
  }

  private static JsonObject toJson(List<Finding> findings) {
    JsonArray array = new JsonArray();
    for (Finding finding : findings) {
      JsonObject one = new JsonObject();
      one.addProperty("topic", finding.topic());
      one.addProperty("ok", finding.ok());
      one.addProperty("detail", finding.detail());
      one.addProperty("advice", finding.advice().orElse(null));
      array.add(one);
    }
    JsonObject json = new JsonObject();
    json.add("findings", array);
    return json;
  }
}
