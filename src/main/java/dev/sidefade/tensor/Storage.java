package dev.sidefade.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The memory behind one or more tensors. It has one owner, who closes it; views share it and see
 * that it is closed.
 *
 * <p>Host storage has a {@link #segment()}. Device storage has an {@link #address()} only: a device
 * pointer is never handed out as a readable segment.
 */
public final class Storage implements AutoCloseable {
  private final @Nullable MemorySegment segment;
  private final long address;
  private final long bytes;
  private final @Nullable Transfer transfer;
  private @Nullable Runnable release;

  private Storage(
      @Nullable MemorySegment segment,
      long address,
      long bytes,
      @Nullable Transfer transfer,
      Runnable release) {
    this.segment = segment;
    this.address = address;
    this.bytes = bytes;
    this.transfer = transfer;
    this.release = Objects.requireNonNull(release, "release");
  }

  /**
   * {@return storage in native host memory, given back by {@code release}}
   *
   * @param segment native memory
   * @param release gives it back, once
   */
  public static Storage host(MemorySegment segment, Runnable release) {
    if (!segment.isNative()) {
      throw new IllegalArgumentException(
          "tensor storage must be native memory, got a heap segment");
    }
    return new Storage(segment, segment.address(), segment.byteSize(), null, release);
  }

  /**
   * {@return storage of {@code bytes} bytes at a device address, given back by {@code release}}
   *
   * @param address first device address
   * @param bytes number of bytes
   * @param transfer how the host reads and writes it
   * @param release gives it back, once
   */
  public static Storage device(long address, long bytes, Transfer transfer, Runnable release) {
    return new Storage(null, address, bytes, Objects.requireNonNull(transfer, "transfer"), release);
  }

  /** {@return whether {@link #close()} was not called yet} */
  public boolean isOpen() {
    return release != null;
  }

  /** {@return size in bytes} */
  public long bytes() {
    return bytes;
  }

  /**
   * {@return first address, on the host or on the device}
   *
   * @throws IllegalStateException if closed
   */
  public long address() {
    requireOpen();
    return address;
  }

  /**
   * {@return the host memory}
   *
   * @throws IllegalStateException if closed, or if this is device memory
   */
  public MemorySegment segment() {
    requireOpen();
    if (segment == null) {
      throw new IllegalStateException("tensor lives on a device: copy it to the host first");
    }
    return segment;
  }

  /**
   * How to get at device memory.
   *
   * @throws IllegalStateException if closed
   */
  Transfer transfer() {
    requireOpen();
    return Objects.requireNonNull(transfer, "host storage");
  }

  /** {@return whether the memory is readable by the host} */
  public boolean onHost() {
    return segment != null;
  }

  @Override
  public void close() {
    Runnable r = release;
    release = null;
    if (r != null) {
      r.run();
    }
  }

  private void requireOpen() {
    if (release == null) {
      throw new IllegalStateException("tensor storage of " + bytes + " bytes is closed");
    }
  }
}
