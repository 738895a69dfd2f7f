package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sidefade.cuda.ffi.CudaDriver;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A function on the device with a block of arguments. Arguments stay as they were set until they
 * are set again; a launch copies them, so they may be changed right after it. Setting and launching
 * allocates nothing.
 */
public final class CudaKernel {
  private static final int SLOT = 8;
  private static final int MOST_PARAMETERS = 64;

  private final CudaModule module;
  private final String name;
  private final MemorySegment function;
  private final List<Parameter> parameters;
  private final int[] sizes;
  // one slot of eight bytes per argument, then the array of pointers to them
  private final MemorySegment values;
  private final MemorySegment pointers;
  private long missing;
  private int mostShared;

  /**
   * A parameter of a kernel: where it lies in the kernel's own block, and its size, in bytes.
   *
   * @param offset first byte in the block
   * @param size in bytes
   */
  public record Parameter(long offset, long size) {}

  CudaKernel(CudaModule module, String name, MemorySegment kernel, MemorySegment function) {
    this.module = module;
    this.name = name;
    this.function = function;
    this.parameters = read(module.context(), name, kernel);
    int count = parameters.size();
    this.sizes = parameters.stream().mapToInt(p -> (int) p.size()).toArray();
    this.values = module.arena().allocate(Math.max(1L, count) * SLOT, SLOT);
    MemorySegment array = module.arena().allocate(Math.max(1L, count) * SLOT, SLOT);
    for (int i = 0; i < count; i++) {
      array.setAtIndex(ADDRESS, i, MemorySegment.ofAddress(values.address() + i * (long) SLOT));
    }
    // without the arena's count of users: the module is open whenever this is passed
    this.pointers = MemorySegment.ofAddress(array.address());
    this.missing = count == MOST_PARAMETERS ? -1L : (1L << count) - 1;
  }

  /** Asks the driver for the parameters and checks that they are of kinds that can be set. */
  private static List<Parameter> read(CudaContext context, String name, MemorySegment kernel) {
    List<Parameter> all = new ArrayList<>();
    MemorySegment out = context.out();
    MemorySegment size = out.asSlice(SLOT);
    long end = 0;
    while (true) {
      int code = CudaDriver.cuKernelGetParamInfo(kernel, all.size(), out, size);
      if (code == CudaDriver.CUDA_ERROR_INVALID_VALUE()) {
        return List.copyOf(all);
      }
      context.check(code, "cuKernelGetParamInfo", "parameter " + all.size() + " of " + name);
      Parameter p = new Parameter(out.get(JAVA_LONG, 0), size.get(JAVA_LONG, 0));
      boolean settable = p.size() == Integer.BYTES || p.size() == Long.BYTES;
      // C aligns a parameter of that size to its size: anything else is packed in another way
      if (!settable || p.offset() != (end + p.size() - 1) / p.size() * p.size()) {
        throw new IllegalArgumentException(
            "parameter "
                + all.size()
                + " of kernel "
                + name
                + " has "
                + p.size()
                + " bytes at offset "
                + p.offset()
                + "; pointers, int, long long and float can be passed");
      }
      if (all.size() == MOST_PARAMETERS) {
        throw new IllegalArgumentException(
            "kernel " + name + " has more than " + MOST_PARAMETERS + " parameters");
      }
      all.add(p);
      end = p.offset() + p.size();
    }
  }

  /** {@return its name in the module} */
  public String name() {
    return name;
  }

  /** {@return the module that it is in} */
  public CudaModule module() {
    return module;
  }

  /** {@return the parameters, in order} */
  public List<Parameter> parameters() {
    return parameters;
  }

  /**
   * Sets a pointer or a long long.
   *
   * @param index number of the parameter, from 0
   * @param value what the kernel is given
   * @throws IllegalArgumentException if the parameter is not of 8 bytes
   */
  public void set(int index, long value) {
    ready(index, Long.BYTES);
    values.set(JAVA_LONG, (long) index * SLOT, value);
  }

  /**
   * Sets an int.
   *
   * @param index number of the parameter, from 0
   * @param value what the kernel is given
   * @throws IllegalArgumentException if the parameter is not of 4 bytes
   */
  public void set(int index, int value) {
    ready(index, Integer.BYTES);
    values.set(JAVA_INT, (long) index * SLOT, value);
  }

  /**
   * Sets a float.
   *
   * @param index number of the parameter, from 0
   * @param value what the kernel is given
   * @throws IllegalArgumentException if the parameter is not of 4 bytes
   */
  public void set(int index, float value) {
    ready(index, Float.BYTES);
    values.set(JAVA_FLOAT, (long) index * SLOT, value);
  }

  private void ready(int index, int bytes) {
    module.requireUsable();
    if (index < 0 || index >= sizes.length || sizes[index] != bytes) {
      throw wrongArgument(index, bytes);
    }
    missing &= ~(1L << index);
  }

  private IllegalArgumentException wrongArgument(int index, int bytes) {
    return new IllegalArgumentException(
        index < 0 || index >= sizes.length
            ? "kernel " + name + " has " + sizes.length + " parameters, there is no " + index
            : "parameter "
                + index
                + " of kernel "
                + name
                + " has "
                + sizes[index]
                + " bytes, the value "
                + bytes);
  }

  /**
   * Lets launches use so much dynamic shared memory. Needed once for more than 48 KiB.
   *
   * @param bytes of dynamic shared memory
   * @throws IllegalArgumentException if the device has not so much
   */
  public void allowShared(int bytes) {
    module.requireUsable();
    if (bytes <= mostShared) {
      return;
    }
    int most = module.context().device().sharedBytesPerBlock();
    if (bytes > most) {
      throw new IllegalArgumentException(
          "kernel "
              + name
              + " wants "
              + bytes
              + " bytes of shared memory, a block on "
              + module.context().device().name()
              + " has at most "
              + most);
    }
    int attribute = CudaDriver.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES();
    module
        .context()
        .check(
            CudaDriver.cuFuncSetAttribute(function, attribute, bytes),
            "cuFuncSetAttribute",
            bytes + " bytes of shared memory for kernel " + name);
    mostShared = bytes;
  }

  /**
   * Enqueues a launch on a stream of the same context.
   *
   * @param stream the stream, of the same context
   * @param gridX blocks in x
   * @param gridY blocks in y
   * @param gridZ blocks in z
   * @param threads threads of a block, all in x
   * @param sharedBytes dynamic shared memory of a block
   * @throws IllegalStateException if an argument was never set
   */
  public void launch(
      CudaStream stream, int gridX, int gridY, int gridZ, int threads, int sharedBytes) {
    module.requireUsable();
    stream.requireUsable();
    if (missing != 0) {
      throw new IllegalStateException(
          "argument " + Long.numberOfTrailingZeros(missing) + " of kernel " + name + " is not set");
    }
    if (stream.context() != module.context()) {
      throw new IllegalArgumentException("the stream belongs to another context than " + module);
    }
    int code =
        CudaDriver.cuLaunchKernel(
            function,
            gridX,
            gridY,
            gridZ,
            threads,
            1,
            1,
            sharedBytes,
            stream.segment(),
            pointers,
            MemorySegment.NULL);
    if (code != CudaDriver.CUDA_SUCCESS()) {
      throw launchFailure(code, gridX, gridY, gridZ, threads, sharedBytes);
    }
  }

  private CudaException launchFailure(int code, int x, int y, int z, int threads, int shared) {
    return module
        .context()
        .failure(
            code,
            "cuLaunchKernel",
            "kernel "
                + name
                + " over "
                + x
                + " x "
                + y
                + " x "
                + z
                + " blocks of "
                + threads
                + " threads with "
                + shared
                + " bytes of shared memory");
  }

  /**
   * Registers that a thread uses.
   *
   * @return their number
   */
  public int registers() {
    return attribute(CudaDriver.CU_FUNC_ATTRIBUTE_NUM_REGS());
  }

  /** {@return bytes of local memory of a thread: registers that did not fit} */
  public int localBytes() {
    return attribute(CudaDriver.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES());
  }

  /** {@return bytes of shared memory that a block uses besides the dynamic ones} */
  public int staticSharedBytes() {
    return attribute(CudaDriver.CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES());
  }

  private int attribute(int attribute) {
    module.requireUsable();
    CudaContext context = module.context();
    context.check(
        CudaDriver.cuFuncGetAttribute(context.out(), attribute, function),
        "cuFuncGetAttribute",
        "kernel " + name);
    return context.out().get(JAVA_INT, 0);
  }

  @Override
  public String toString() {
    return "kernel " + name + " with " + sizes.length + " parameters";
  }
}
