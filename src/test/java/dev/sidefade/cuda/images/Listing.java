package dev.sidefade.cuda.images;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How often each instruction occurs in each kernel of a PTX or SASS listing. */
final class Listing {
  private static final Pattern PTX_ENTRY = Pattern.compile("\\.entry (\\w+)");
  private static final Pattern PTX_THREADS = Pattern.compile("\\.maxntid (\\d+)");
  private static final Pattern PTX_INSTRUCTION =
      Pattern.compile(
          "^\\s*\\{?\\s*(?:@!?%p\\d+\\s+)?([a-z][\\w]*(?:[.:][\\w:]+)+|call|bra|ret)\\b");
  private static final Pattern SASS_ARCHITECTURE = Pattern.compile("(?:arch =|code for) (sm_\\w+)");
  private static final Pattern SASS_ENTRY = Pattern.compile("Function : (\\w+)");
  private static final Pattern SASS_INSTRUCTION =
      Pattern.compile("^\\s*/\\*[0-9a-f]{4,}\\*/\\s+(?:\\{\\s*)?(?:@!?U?P\\w+\\s+)?([A-Z][\\w.]*)");

  /**
   * One kernel.
   *
   * @param threads most threads of a block; 0 where the listing does not say
   */
  record Kernel(Map<String, Integer> instructions, int threads) {
    /** Occurrences of the instructions that match. */
    int count(Pattern instruction) {
      return instructions.entrySet().stream()
          .filter(e -> instruction.matcher(e.getKey()).matches())
          .mapToInt(Map.Entry::getValue)
          .sum();
    }
  }

  private Listing() {}

  /** Kernels of a PTX file by name. */
  static Map<String, Kernel> ptx(Iterable<String> lines) {
    Map<String, Kernel> kernels = new LinkedHashMap<>();
    String name = "";
    for (String line : lines) {
      Matcher entry = PTX_ENTRY.matcher(line);
      Matcher threads = PTX_THREADS.matcher(line);
      Matcher instruction = PTX_INSTRUCTION.matcher(line);
      if (entry.find()) {
        name = entry.group(1);
        kernels.put(name, new Kernel(new TreeMap<>(), 0));
      } else if (threads.find() && kernels.containsKey(name)) {
        kernels.put(
            name, new Kernel(kernels.get(name).instructions(), Integer.parseInt(threads.group(1))));
      } else if (instruction.find() && kernels.containsKey(name)) {
        kernels.get(name).instructions().merge(instruction.group(1), 1, Integer::sum);
      }
    }
    return kernels;
  }

  /** Kernels of {@code cuobjdump -sass}, by "architecture name". */
  static Map<String, Kernel> sass(Iterable<String> lines) {
    Map<String, Kernel> kernels = new LinkedHashMap<>();
    String architecture = "";
    String name = "";
    for (String line : lines) {
      Matcher code = SASS_ARCHITECTURE.matcher(line);
      Matcher entry = SASS_ENTRY.matcher(line);
      Matcher instruction = SASS_INSTRUCTION.matcher(line);
      if (code.find()) {
        architecture = code.group(1);
      } else if (entry.find()) {
        name = architecture + " " + entry.group(1);
        kernels.put(name, new Kernel(new TreeMap<>(), 0));
      } else if (instruction.find() && kernels.containsKey(name)) {
        kernels.get(name).instructions().merge(instruction.group(1), 1, Integer::sum);
      }
    }
    return kernels;
  }
}
