package dev.sidefade.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The version of this build. */
final class Version implements IVersionProvider {
  private static final String RESOURCE = "version.properties";

  /** From what the build filled in, else from the jar's manifest. */
  static String text() {
    return filledIn()
        .or(() -> Optional.ofNullable(Version.class.getPackage().getImplementationVersion()))
        .orElse("unknown, not built by Maven");
  }

  private static Optional<String> filledIn() {
    try (InputStream in = Version.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        return Optional.empty();
      }
      Properties properties = new Properties();
      properties.load(in);
      // an IDE copies the resource without filling it in
      return Optional.ofNullable(properties.getProperty("version"))
          .filter(version -> !version.startsWith("${"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String[] getVersion() {
    return new String[] {"sidefade " + text(), "Java " + Runtime.version()};
  }
}
