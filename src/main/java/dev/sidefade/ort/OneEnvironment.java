package dev.sidefade.ort;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;

/**
 * ONNX Runtime's environment, of which a process has one. All of Sidefade asks for it here.
 *
 * <p>ONNX Runtime reports its use to its makers, on Linux and macOS since 1.29. Here it is told not
 * to, but what it says about the process when the environment is made cannot be held back from
 * inside: only the variable {@code ORT_DISABLE_TELEMETRY=1} does that, as the scripts set it. A
 * user who sets it to 0 wants reports, and they are left on.
 */
public final class OneEnvironment {
  private static final OrtEnvironment ENVIRONMENT = silenced(OrtEnvironment.getEnvironment());

  private OneEnvironment() {}

  /** Makes it, if nobody has. */
  public static OrtEnvironment get() {
    return ENVIRONMENT;
  }

  private static OrtEnvironment silenced(OrtEnvironment environment) {
    if (!"0".equals(System.getenv("ORT_DISABLE_TELEMETRY"))) {
      try {
        environment.setTelemetry(false);
      } catch (OrtException e) {
        throw new IllegalStateException("ONNX Runtime did not turn its telemetry off", e);
      }
    }
    return environment;
  }
}
