package dev.sidefade.bench;

import org.openjdk.jmh.annotations.Param;

/** A benchmark at the two problem sizes. */
public abstract class OnWorkload extends OnDevice {
  /** Name of the {@link Workload}. */
  @Param({"A", "B"})
  public String shape;

  Workload work;

  @Override
  final void prepare() {
    work = Workload.of(shape);
    prepare(work.rows(), work.tapWidth(), work.width());
  }

  /** Makes the tensors; D_B and D_S as everywhere. */
  abstract void prepare(int rows, int tapWidth, int width);
}
