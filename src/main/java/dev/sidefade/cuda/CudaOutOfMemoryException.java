package dev.sidefade.cuda;

/**
 * The device, the pool's limit or the host has not enough memory. All numbers are bytes; free and
 * total are those of the device.
 */
public final class CudaOutOfMemoryException extends CudaException {
  private static final long serialVersionUID = 1L;

  private final long requested;
  private final long free;
  private final long total;
  private final long used;

  CudaOutOfMemoryException(
      CudaException refused, String where, long requested, CudaContext.Memory memory, long used) {
    super(
        refused.code(),
        refused.name(),
        refused.call(),
        refused.detail()
            + "; "
            + where
            + (requested > 0 ? ": requested " + mib(requested) + ", " : ": ")
            + "free on the device "
            + mib(memory.freeBytes())
            + " of "
            + mib(memory.totalBytes())
            + ", in use here "
            + mib(used)
            + ". Turn down the batch size, the widths or the number of taps of the side network, or"
            + " close other programs that use the device");
    this.requested = requested;
    this.free = memory.freeBytes();
    this.total = memory.totalBytes();
    this.used = used;
  }

  private static String mib(long bytes) {
    return bytes < 1 << 20 ? bytes + " bytes" : (bytes >> 20) + " MiB";
  }

  /** {@return bytes asked for; 0 where the driver does not say how much it wanted} */
  public long requested() {
    return requested;
  }

  /** {@return bytes free on the device when it failed} */
  public long free() {
    return free;
  }

  /** {@return bytes that the device has in all} */
  public long total() {
    return total;
  }

  /** {@return bytes that the context (or the pool, where one was asked) has handed out} */
  public long used() {
    return used;
  }
}
