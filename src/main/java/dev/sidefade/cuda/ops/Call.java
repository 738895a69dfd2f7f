package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.Cublas;
import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.cuda.CudaStream;
import java.util.Arrays;

/**
 * One thing that the device is asked to do, as words: so it can be compared with what was asked
 * before, and be asked again.
 */
final class Call {
  /** What is asked. */
  enum Kind {
    KERNEL,
    ZERO,
    COPY,
    GEMM
  }

  private static final byte INT64 = 8;
  private static final byte INT32 = 4;
  private static final byte FLOAT32 = 5;

  /** Words before the arguments of a kernel: grid, threads, bytes of shared memory. */
  private static final int SHAPE = 5;

  private Kind kind;
  private CudaKernel kernel;
  private long[] words;
  private byte[] types;
  private int count;

  Call() {
    words = new long[32];
    types = new byte[32];
  }

  private Call(Call other) {
    kind = other.kind;
    kernel = other.kernel;
    count = other.count;
    words = Arrays.copyOf(other.words, count);
    types = Arrays.copyOf(other.types, count);
  }

  /** A copy of its own. */
  Call copy() {
    return new Call(this);
  }

  /** Starts anew; {@code launched} is null but for a kernel. */
  Call begin(Kind newKind, CudaKernel launched) {
    kind = newKind;
    kernel = launched;
    count = newKind == Kind.KERNEL ? SHAPE : 0;
    return this;
  }

  Call int64(long value) {
    return add(INT64, value);
  }

  Call int32(int value) {
    return add(INT32, value);
  }

  Call float32(float value) {
    return add(FLOAT32, Float.floatToRawIntBits(value));
  }

  private Call add(byte type, long word) {
    if (count == words.length) {
      words = Arrays.copyOf(words, 2 * count);
      types = Arrays.copyOf(types, 2 * count);
    }
    types[count] = type;
    words[count++] = word;
    return this;
  }

  /** Completes a kernel's launch. */
  Call shape(int gridX, int gridY, int gridZ, int threads, int sharedBytes) {
    words[0] = gridX;
    words[1] = gridY;
    words[2] = gridZ;
    words[3] = threads;
    words[4] = sharedBytes;
    return this;
  }

  /** Whether the other asks the same of the same memory. */
  boolean same(Call other) {
    return kind == other.kind
        && kernel == other.kernel
        && count == other.count
        && Arrays.equals(words, 0, count, other.words, 0, count);
  }

  /** Puts it on the stream; matrix products go through {@code blas}, which is on that stream. */
  void issue(CudaStream stream, Cublas blas) {
    switch (kind) {
      case KERNEL -> launch(stream);
      case ZERO -> stream.zero(words[0], words[1]);
      case COPY -> stream.copy(words[0], words[1], words[2]);
      case GEMM ->
          blas.gemm(
              words[0],
              words[1] != 0,
              words[2],
              words[3] != 0,
              words[4],
              words[5],
              words[6],
              words[7],
              Float.intBitsToFloat((int) words[8]));
    }
  }

  private void launch(CudaStream stream) {
    for (int i = SHAPE; i < count; i++) {
      switch (types[i]) {
        case INT64 -> kernel.set(i - SHAPE, words[i]);
        case INT32 -> kernel.set(i - SHAPE, (int) words[i]);
        default -> kernel.set(i - SHAPE, Float.intBitsToFloat((int) words[i]));
      }
    }
    kernel.launch(
        stream, (int) words[0], (int) words[1], (int) words[2], (int) words[3], (int) words[4]);
  }
}
