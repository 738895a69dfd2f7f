package dev.sidefade.cli;

import dev.sidefade.Version;
import java.util.Optional;
import picocli.CommandLine.IVersionProvider;

/** The version of this build, for {@code --version} and {@code doctor}. */
final class VersionText implements IVersionProvider {
  /** From what the build filled in, else from the jar's manifest. */
  static String text() {
    return Optional.of(Version.text())
        // an IDE copies the resource without filling it in
        .filter(version -> !version.equals("unknown") && !version.startsWith("${"))
        .or(() -> Optional.ofNullable(Version.class.getPackage().getImplementationVersion()))
        .orElse("of unknown version, not built by Maven");
  }

  @Override
  public String[] getVersion() {
    return new String[] {"sidefade " + text(), "Java " + Runtime.version()};
  }
}
