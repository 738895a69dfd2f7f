package dev.sidefade.cpu;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * Tells HotSpot's compiler to keep {@link VectorRows} out of its callers. Each of its loops
 * compiles to registers by itself; inlined into a large caller the compiler now and then runs out
 * of its budget and makes an object of every vector, megabytes in a training step. Asked for
 * through the diagnostic command {@code Compiler.directives_add}, which only concerns the classes
 * named here. A virtual machine without that command is left as it is: results are the same.
 */
final class InlineDirectives {
  private static final List<Class<?>> CALLERS =
      List.of(
          AttentionHead.class,
          AttentionOps.class,
          AdapterOps.class,
          Context.class,
          ConvOps.class,
          FeatureOps.class,
          LadderOps.class,
          LinearOps.class,
          LogitOps.class,
          MaskOps.class,
          OptimizerOps.class,
          ProductParts.class,
          RegressionOps.class,
          TokenOps.class,
          Workers.class);

  /** Once for each virtual machine. */
  private static final boolean INSTALLED = install();

  private InlineDirectives() {}

  /** Whether the compiler knows; asks it at the first call. */
  static boolean installed() {
    return INSTALLED;
  }

  private static boolean install() {
    try {
      Path file = Files.createTempFile("sidefade-directives", ".json");
      try {
        Files.writeString(file, text());
        Object said =
            ManagementFactory.getPlatformMBeanServer()
                .invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"),
                    "compilerDirectivesAdd",
                    new Object[] {new String[] {file.toString()}},
                    new String[] {String[].class.getName()});
        return String.valueOf(said).contains("added");
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (JMException | IOException | RuntimeException e) {
      return false;
    }
  }

  private static String text() {
    String callers =
        CALLERS.stream().map(type -> "\"" + path(type) + ".*\"").collect(Collectors.joining(", "));
    return "[{match: [" + callers + "], inline: [\"-" + path(VectorRows.class) + ".*\"]}]";
  }

  private static String path(Class<?> type) {
    return type.getName().replace('.', '/');
  }
}
