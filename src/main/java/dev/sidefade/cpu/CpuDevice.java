package dev.sidefade.cpu;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Storage;
import dev.sidefade.tensor.Tensor;

/** The host's processors and memory. */
public final class CpuDevice implements Device {
  private final Memory memory = new Memory();
  private final RowMath rows;
  private final Workers workers;
  private final OrtGemm gemm;
  private final CpuKernels kernels;

  CpuDevice(int threads, RowMath rows) {
    if (threads < 0) {
      throw new IllegalArgumentException(
          "number of threads must be 0 (all) or more, got " + threads);
    }
    int count = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    this.rows = rows;
    this.workers = new Workers(count);
    OrtGemm.Engines engines = new OrtGemm.Engines(MatrixEngine.best(1), MatrixEngine.best(count));
    this.gemm = new OrtGemm(engines, workers, memory, rows);
    this.kernels = new CpuKernels(new Context(rows, workers, memory, gemm));
  }

  @Override
  public String name() {
    return "cpu, " + workers.count() + " threads, " + rows.describe();
  }

  @Override
  public Tensor allocate(DType dtype, Shape shape) {
    Memory.Allocation a = memory.allocate(Math.multiplyExact(shape.size(), dtype.bytes()));
    return Tensor.owning(shape, dtype, Storage.host(a.segment(), a.release()));
  }

  @Override
  public Kernels kernels() {
    return kernels;
  }

  @Override
  public long liveBytes() {
    return memory.liveBytes();
  }

  @Override
  public long peakBytes() {
    return memory.peakBytes();
  }

  @Override
  public void resetPeak() {
    memory.resetPeak();
  }

  @Override
  public void close() {
    workers.close();
    gemm.close();
    memory.close();
  }
}
