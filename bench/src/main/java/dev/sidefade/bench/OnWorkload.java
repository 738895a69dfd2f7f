package dev.sidefade.bench;

import dev.sidefade.bench.tables.Workload;
import dev.sidefade.kernels.TokenLayout;
import org.openjdk.jmh.annotations.Param;

/** A benchmark at the two problem sizes. */
public abstract class OnWorkload extends OnDevice {
  /** Name of the {@link Workload}. */
  @Param({"A", "B", "M"})
  public String shape;

  Workload work;
  TokenLayout layout;

  @Override
  final void prepare() {
    work = Workload.of(shape);
    layout = new TokenLayout(work.batch(), work.tokens(), 1, work.grid(), work.grid());
    prepare(work.rows(), work.tapWidth(), work.width());
  }

  /** Makes the tensors; D_B and D_S as everywhere. */
  abstract void prepare(int rows, int tapWidth, int width);
}
