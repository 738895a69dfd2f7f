import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Prints and counts what ran. A test is a method: one that makes several tests passes if it made
 * any and all of them passed.
 */
final class KitOutcome implements TestExecutionListener {
  private final Set<String> wanted;
  private final Set<String> passed = new TreeSet<>();
  private final Map<String, Long> started = new HashMap<>();
  private int failures;
  private int skips;
  private TestPlan plan;

  /**
   * @param wanted tests that must pass
   */
  KitOutcome(Set<String> wanted) {
    this.wanted = wanted;
  }

  /** The tests of a plan, sorted. */
  static Set<String> methods(TestPlan plan) {
    Set<String> names = new TreeSet<>();
    plan.getRoots()
        .forEach(root ->
            plan.getDescendants(root)
                .forEach(identifier -> source(identifier).ifPresent(names::add)));
    return names;
  }

  static String name(MethodSource method) {
    return method.getClassName() + "#" + method.getMethodName();
  }

  /** The method that a test is, or that makes tests; empty for the tests that it makes. */
  private static Optional<String> source(TestIdentifier identifier) {
    return identifier.getUniqueId().contains("/[dynamic-")
        ? Optional.empty()
        : identifier
            .getSource()
            .filter(MethodSource.class::isInstance)
            .map(source -> name((MethodSource) source));
  }

  boolean isGood() {
    return failures == 0 && skips == 0 && !wanted.isEmpty() && passed.equals(wanted);
  }

  /** What should have passed and did not. */
  Set<String> missing() {
    Set<String> missing = new TreeSet<>(wanted);
    missing.removeAll(passed);
    return missing;
  }

  String summary() {
    return String.format(
        Locale.ROOT,
        "gpu-kit: %d of %d tests passed, %d failures, %d skipped,",
        passed.size(),
        wanted.size(),
        failures,
        skips);
  }

  @Override
  public void testPlanExecutionStarted(TestPlan testPlan) {
    plan = testPlan;
  }

  @Override
  public void executionStarted(TestIdentifier identifier) {
    started.put(identifier.getUniqueId(), System.nanoTime());
  }

  @Override
  public void executionSkipped(TestIdentifier identifier, String reason) {
    skips++;
    System.out.println("SKIPPED " + path(identifier) + ": " + reason);
  }

  @Override
  public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
    double seconds = (System.nanoTime() - started.get(identifier.getUniqueId())) / 1e9;
    String line = String.format(Locale.ROOT, "%7.2f s  %s", seconds, path(identifier));
    switch (result.getStatus()) {
      case SUCCESSFUL -> {
        if (identifier.isTest()) {
          System.out.println("ok      " + line);
          method(identifier).ifPresent(passed::add);
        }
      }
      case FAILED -> {
        failures++;
        System.out.println("FAILED  " + line);
        result.getThrowable().ifPresent(e -> e.printStackTrace(System.out));
      }
      case ABORTED -> {
        skips++;
        String why = result.getThrowable().map(Throwable::getMessage).orElse("no reason");
        System.out.println("SKIPPED " + line + ": " + why);
      }
    }
  }

  /** The name of the method that a test is, or is made by. */
  private Optional<String> method(TestIdentifier identifier) {
    TestIdentifier at = identifier;
    while (at != null && source(at).isEmpty()) {
      at = plan.getParent(at).orElse(null);
    }
    return Optional.ofNullable(at).flatMap(KitOutcome::source);
  }

  /** Names from the class down. */
  private String path(TestIdentifier identifier) {
    Deque<String> names = new ArrayDeque<>();
    TestIdentifier at = identifier;
    while (at != null && at.getParentId().isPresent()) {
      names.addFirst(at.getDisplayName().replace("()", ""));
      at = plan.getParent(at).orElse(null);
    }
    return String.join(" / ", names);
  }
}
