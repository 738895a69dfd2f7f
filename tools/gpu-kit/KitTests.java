import static org.junit.platform.launcher.EngineFilter.includeEngines;
import static org.junit.platform.launcher.TagFilter.includeTags;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.DeviceProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.discovery.ClassSelector;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs the tests of the GPU kit and believes nothing: a test that is skipped, or that was packed
 * and does not run, is a failure.
 *
 * <pre>
 *   KitTests list CLASS...         prints the tests of these classes, CLASS#METHOD, line by line
 *   KitTests test FILE [PATTERN]   runs the tests of such a list, or those that the regular
 *                                  expression is found in
 * </pre>
 *
 * Exit status: 0 if every test ran on a device and passed, 1 if not, 2 for a pattern that matches
 * nothing, 69 if CUDA cannot be used here.
 */
final class KitTests {
  private static final int FAILED = 1;
  private static final int WRONG_USE = 2;
  private static final int UNAVAILABLE = 69;

  private KitTests() {}

  public static void main(String[] arguments) throws IOException {
    List<String> more = Arrays.asList(arguments).subList(1, arguments.length);
    if (arguments[0].equals("list")) {
      Launcher launcher = LauncherFactory.create();
      KitOutcome.methods(launcher.discover(request(more.stream(), name -> true)))
          .forEach(System.out::println);
      return;
    }
    List<String> packed = Files.readAllLines(Path.of(more.get(0)));
    System.exit(run(packed, more.size() > 1 ? more.get(1) : ""));
  }

  private static int run(List<String> packed, String pattern) {
    Set<String> wanted;
    try {
      wanted =
          packed.stream()
              .filter(Pattern.compile(pattern).asPredicate())
              .collect(Collectors.toCollection(TreeSet::new));
    } catch (PatternSyntaxException e) {
      System.err.println("gpu-kit: no regular expression: " + e.getMessage());
      return WRONG_USE;
    }
    if (wanted.isEmpty()) {
      System.err.println("gpu-kit: none of " + packed.size() + " tests has " + pattern + " in it");
      return WRONG_USE;
    }
    DeviceProvider cuda =
        Device.providers().stream()
            .filter(provider -> provider.name().equals("cuda"))
            .findFirst()
            .orElseThrow();
    Optional<String> why = cuda.unavailable();
    cuda.report().forEach(line -> System.out.println("gpu-kit: " + line));
    if (why.isPresent()) {
      System.err.println("gpu-kit: no test ran: " + why.get() + " (see run help)");
      return UNAVAILABLE;
    }
    String devices = cuda.describe();
    System.out.println("gpu-kit: " + devices);
    KitOutcome outcome = new KitOutcome(wanted);
    Stream<String> classes = wanted.stream().map(name -> name.substring(0, name.indexOf('#')));
    LauncherFactory.create().execute(request(classes, wanted::contains), outcome);
    outcome.missing().forEach(name -> System.out.println("NOT PASSED " + name));
    System.out.println(outcome.summary() + " on " + devices);
    return outcome.isGood() ? 0 : FAILED;
  }

  private static LauncherDiscoveryRequest request(Stream<String> classes, Wanted wanted) {
    List<ClassSelector> selectors =
        classes.distinct().map(DiscoverySelectors::selectClass).toList();
    PostDiscoveryFilter filter =
        descriptor ->
            FilterResult.includedIf(
                descriptor.getSource().orElse(null) instanceof MethodSource method
                    ? wanted.includes(KitOutcome.name(method))
                    : true);
    return LauncherDiscoveryRequestBuilder.request()
        .selectors(selectors)
        .filters(includeEngines("junit-jupiter"), includeTags("gpu"), filter)
        .build();
  }

  /** Which tests, by name. */
  private interface Wanted {
    boolean includes(String name);
  }
}
