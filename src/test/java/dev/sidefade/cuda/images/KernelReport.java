package dev.sidefade.cuda.images;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What ptxas says of one kernel for one architecture.
 *
 * @param kernel name
 * @param architecture such as "sm_80"
 * @param registers of a thread
 * @param stackBytes of local memory of a thread
 * @param spillBytes stored and loaded because registers ran out
 * @param sharedBytes static shared memory of a block
 */
record KernelReport(
    String kernel,
    String architecture,
    int registers,
    int stackBytes,
    int spillBytes,
    int sharedBytes) {
  private static final Pattern ENTRY =
      Pattern.compile("Compiling entry function '(\\w+)' for '(\\w+)'");
  private static final Pattern STACK =
      Pattern.compile("(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill");
  private static final Pattern USED = Pattern.compile("Used (\\d+) registers");
  private static final Pattern SHARED = Pattern.compile("(\\d+) bytes smem");

  /** All reports in the output of {@code ptxas -v}. */
  static List<KernelReport> parse(Iterable<String> lines) {
    List<KernelReport> reports = new ArrayList<>();
    String kernel = "";
    String architecture = "";
    int stack = 0;
    int spills = 0;
    for (String line : lines) {
      Matcher entry = ENTRY.matcher(line);
      Matcher frame = STACK.matcher(line);
      Matcher used = USED.matcher(line);
      if (entry.find()) {
        kernel = entry.group(1);
        architecture = entry.group(2);
      } else if (frame.find()) {
        stack = Integer.parseInt(frame.group(1));
        spills = Integer.parseInt(frame.group(2)) + Integer.parseInt(frame.group(3));
      } else if (used.find()) {
        Matcher shared = SHARED.matcher(line);
        int bytes = shared.find() ? Integer.parseInt(shared.group(1)) : 0;
        int registers = Integer.parseInt(used.group(1));
        reports.add(new KernelReport(kernel, architecture, registers, stack, spills, bytes));
      }
    }
    return reports;
  }
}
