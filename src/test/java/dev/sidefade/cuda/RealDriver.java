package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assumptions.abort;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.DeviceProvider;
import java.util.Optional;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Skips the tests of a class, with the reason, where CUDA cannot be used. Where {@value #REQUIRED}
 * is true they fail instead, so that a machine with a GPU cannot skip everything unnoticed.
 */
final class RealDriver implements BeforeAllCallback {
  static final String REQUIRED = "dev.sidefade.test.gpu";

  @Override
  public void beforeAll(ExtensionContext context) {
    Optional<String> why =
        Device.providers().stream()
            .filter(provider -> provider.name().equals("cuda"))
            .findFirst()
            .map(DeviceProvider::unavailable)
            .orElse(Optional.of("there is no CUDA backend on the class path"));
    if (why.isEmpty()) {
      return;
    }
    if (Boolean.getBoolean(REQUIRED)) {
      throw new AssertionError("a GPU is required here: " + why.get());
    }
    abort("no GPU to test on: " + why.get());
  }
}
