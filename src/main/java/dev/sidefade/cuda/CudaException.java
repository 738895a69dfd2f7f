package dev.sidefade.cuda;

import org.jspecify.annotations.Nullable;

/** The driver (or cuBLAS) refused a call. */
public class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int code;
  private final String name;
  private final String call;
  private final String detail;

  /**
   * A failed call.
   *
   * @param code the number that the driver gave
   * @param name the driver's name for it, for example CUDA_ERROR_INVALID_VALUE
   * @param call the function that was called
   * @param detail what the driver says about it, what was tried and what would help
   */
  public CudaException(int code, String name, String call, String detail) {
    this(code, name, call, detail, null);
  }

  CudaException(int code, String name, String call, String detail, @Nullable Throwable cause) {
    super(call + ": " + name + " (" + code + "): " + detail, cause);
    this.code = code;
    this.name = name;
    this.call = call;
    this.detail = detail;
  }

  /** {@return the number that the driver gave} */
  public int code() {
    return code;
  }

  /** {@return the driver's name for the code, for example CUDA_ERROR_INVALID_VALUE} */
  public String name() {
    return name;
  }

  /** {@return the function that was called, for example cuLaunchKernel} */
  public String call() {
    return call;
  }

  /** {@return what the driver says about it, what was tried and what would help} */
  public String detail() {
    return detail;
  }
}
