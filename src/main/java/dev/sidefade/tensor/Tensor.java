package dev.sidefade.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A dense row-major tensor over a {@link Storage}. Views ({@link #view}, {@link #slice}) share the
 * storage and own nothing; closing the tensor that a device allocated gives the memory back.
 */
public final class Tensor implements AutoCloseable {
  /** Of memory on its way to a device: a multiple of what copies like best. */
  private static final long ALIGNMENT = 64;

  private final Shape shape;
  private final DType dtype;
  private final Storage storage;
  private final long offset;
  private final boolean owner;

  private Tensor(Shape shape, DType dtype, Storage storage, long offset, boolean owner) {
    long bytes = Math.multiplyExact(shape.size(), dtype.bytes());
    if (offset < 0 || Math.addExact(offset, bytes) > storage.bytes()) {
      throw new IllegalArgumentException(
          "tensor "
              + dtype
              + shape
              + " at byte "
              + offset
              + " does not fit "
              + storage.bytes()
              + " bytes");
    }
    this.shape = shape;
    this.dtype = dtype;
    this.storage = storage;
    this.offset = offset;
    this.owner = owner;
  }

  /**
   * {@return a tensor that owns {@code storage}: closing the one closes the other}
   *
   * @param shape dimensions of the tensor
   * @param dtype type of the elements
   * @param storage the memory, which has room for all elements
   */
  public static Tensor owning(Shape shape, DType dtype, Storage storage) {
    return new Tensor(shape, dtype, storage, 0, true);
  }

  /**
   * {@return a tensor over foreign native memory, which must outlive it}
   *
   * @param segment native memory, which outlives the tensor
   * @param shape dimensions of the tensor
   * @param dtype type of the elements
   */
  public static Tensor wrap(MemorySegment segment, Shape shape, DType dtype) {
    return new Tensor(shape, dtype, Storage.host(segment, () -> {}), 0, false);
  }

  /** {@return the dimensions, outermost first} */
  public Shape shape() {
    return shape;
  }

  /**
   * {@return dimension {@code i}; -1 is the innermost}
   *
   * @param i from 0; -1 is the innermost
   */
  public long dim(int i) {
    return shape.dim(i);
  }

  /** {@return the element type} */
  public DType dtype() {
    return dtype;
  }

  /** {@return number of elements} */
  public long size() {
    return shape.size();
  }

  /** {@return number of bytes} */
  public long bytes() {
    return shape.size() * dtype.bytes();
  }

  /** {@return address of the first element, on the host or on the device} */
  public long address() {
    return storage.address() + offset;
  }

  /** {@return whether the host can read it} */
  public boolean onHost() {
    return storage.onHost();
  }

  /** {@return the host memory of exactly this tensor} */
  public MemorySegment segment() {
    return storage.segment().asSlice(offset, bytes());
  }

  /**
   * {@return the same elements under another shape of the same size}
   *
   * @param dims dimensions, outermost first
   */
  public Tensor view(long... dims) {
    Shape s = Shape.of(dims);
    if (s.size() != size()) {
      throw new IllegalArgumentException("cannot view " + shape + " as " + s + ": sizes differ");
    }
    return new Tensor(s, dtype, storage, offset, false);
  }

  /**
   * {@return elements {@code [from, from + size of dims)} in row-major order, as a tensor of shape
   * {@code dims}.}
   *
   * @param from index of the first element
   * @param dims dimensions, outermost first
   */
  public Tensor slice(long from, long... dims) {
    Shape s = Shape.of(dims);
    if (from < 0 || Math.addExact(from, s.size()) > size()) {
      throw new IllegalArgumentException(
          "slice of " + s + " at element " + from + " leaves a tensor of shape " + shape);
    }
    return new Tensor(s, dtype, storage, offset + from * dtype.bytes(), false);
  }

  /**
   * {@return element {@code i} of an F32 tensor, in row-major order} On a device this waits for all
   * of its operations: {@link #toFloats} reads many elements at once.
   *
   * @param i index of the element, from 0
   */
  public float get(long i) {
    requireF32();
    return onHost() ? segment().getAtIndex(ValueLayout.JAVA_FLOAT, i) : slice(i, 1).toFloats()[0];
  }

  /**
   * Sets element {@code i} of an F32 tensor; {@link #setFloats} writes many at once.
   *
   * @param i index of the element, from 0
   * @param value the value
   */
  public void set(long i, float value) {
    requireF32();
    if (onHost()) {
      segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
    } else {
      slice(i, 1).setFloats(new float[] {value});
    }
  }

  /**
   * Copies an F32 tensor into a new array, from a device after all of its operations.
   *
   * @return the elements in row-major order
   */
  public float[] toFloats() {
    requireF32();
    if (onHost()) {
      return segment().toArray(ValueLayout.JAVA_FLOAT);
    }
    float[] values = new float[Math.toIntExact(size())];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(bytes(), ALIGNMENT);
      storage.transfer().toHost(address(), host);
      MemorySegment.copy(host, ValueLayout.JAVA_FLOAT, 0, values, 0, values.length);
    }
    return values;
  }

  /**
   * Fills an F32 tensor from an array of the same length.
   *
   * @param values in row-major order
   */
  public void setFloats(float[] values) {
    requireF32();
    if (values.length != size()) {
      throw new IllegalArgumentException(values.length + " values for a tensor of shape " + shape);
    }
    if (onHost()) {
      MemorySegment.copy(values, 0, segment(), ValueLayout.JAVA_FLOAT, 0, values.length);
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(bytes(), ALIGNMENT);
      MemorySegment.copy(values, 0, host, ValueLayout.JAVA_FLOAT, 0, values.length);
      storage.transfer().toDevice(host, address());
    }
  }

  /**
   * Copies another tensor of the same type and size into this one, wherever the two live.
   *
   * @param other the tensor to read
   */
  public void copyFrom(Tensor other) {
    if (other.dtype != dtype || other.size() != size()) {
      throw new IllegalArgumentException(
          "cannot copy " + other.dtype + other.shape + " into " + dtype + shape);
    }
    if (onHost() && other.onHost()) {
      segment().copyFrom(other.segment());
    } else if (onHost()) {
      other.storage.transfer().toHost(other.address(), segment());
    } else if (other.onHost()) {
      storage.transfer().toDevice(other.segment(), address());
    } else {
      storage.transfer().within(other.address(), address(), bytes());
    }
  }

  /** Sets every byte to zero. */
  public void zero() {
    if (onHost()) {
      segment().fill((byte) 0);
    } else {
      storage.transfer().zero(address(), bytes());
    }
  }

  @Override
  public void close() {
    if (owner) {
      storage.close();
    }
  }

  private void requireF32() {
    if (dtype != DType.F32) {
      throw new IllegalStateException("tensor holds " + dtype + ", not F32");
    }
  }

  @Override
  public String toString() {
    return dtype + shape.toString();
  }
}
