package dev.sidefade.ort;

/** ONNX Runtime refused a call of its C API. */
public final class OrtFailure extends IllegalStateException {
  private static final long serialVersionUID = 1;

  private final String reason;

  OrtFailure(String doing, String reason) {
    super("ONNX Runtime failed " + doing + ": " + reason);
    this.reason = reason;
  }

  /** What ONNX Runtime says, the first line of it. */
  public String reason() {
    return reason.lines().findFirst().orElse("no reason given");
  }
}
