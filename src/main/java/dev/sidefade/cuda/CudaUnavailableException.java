package dev.sidefade.cuda;

/** CUDA cannot be used on this machine; the message says why and what would help. */
public final class CudaUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CudaUnavailableException(String reason) {
    super("CUDA cannot be used here: " + reason);
  }
}
