package dev.sidefade.cli;

/**
 * One operation that {@code bench} times.
 *
 * @param name of the method of {@code Kernels}
 * @param shape what it is applied to
 * @param flops operations of its products, 0 where it is bound by memory
 * @param bytes of the tensors that it must read and write once each, 0 where it is bound by
 *     arithmetic
 * @param call the operation
 */
record BenchOperation(String name, String shape, double flops, double bytes, Runnable call) {
  /** One that is bound by arithmetic. */
  static BenchOperation products(String name, String shape, double flops, Runnable call) {
    return new BenchOperation(name, shape, flops, 0, call);
  }

  /** One that is bound by memory, by the floats that it reads and writes. */
  static BenchOperation floats(String name, String shape, double count, Runnable call) {
    return new BenchOperation(name, shape, 0, count * Float.BYTES, call);
  }
}
