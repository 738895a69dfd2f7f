package dev.sidefade.kernels;

import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * One call of every operation with ordinary data, as data: the tests of arguments and of
 * determinism go through it. Tensors come by position, so that a test can put another one in any
 * place.
 */
final class Calls {
  /** Runs the operation on tensors in the order of the arguments. */
  interface Invocation {
    void run(Kernels kernels, Tensor[] tensors);
  }

  /** A tensor of the call; {@code values} null for an output. */
  record Argument(String name, float[] values, boolean changed, long... dims) {
    /** Whether any shape fits: nothing else in the call has to do with it. */
    boolean free() {
      return name.equals("any");
    }
  }

  record Call(String name, List<Argument> arguments, Invocation invocation) {
    /** Makes the call's tensors. */
    Tensor[] tensors(Lab lab) {
      return arguments.stream().map(a -> tensor(lab, a, a.dims)).toArray(Tensor[]::new);
    }

    private static Tensor tensor(Lab lab, Argument a, long... dims) {
      if (a.values == null) {
        return lab.out(dims);
      }
      return a.changed ? lab.inOut(a.values, dims) : lab.in(a.values, dims);
    }
  }

  final int batch;
  final TokenLayout layout;
  final int rows;
  final int side;
  final int base;
  final int rank = 3;
  final int hidden = 9;
  final int classes = 11;
  private final List<Call> calls = new ArrayList<>();
  private List<Argument> pending = new ArrayList<>();
  private long seed;

  /** A grid of patches behind one prefix token; {@code side} must be a multiple of 2. */
  Calls(int batch, int grid, int side, int base) {
    this.batch = batch;
    this.layout = new TokenLayout(batch, 1 + grid * grid, 1, grid, grid);
    this.rows = layout.rows();
    this.side = side;
    this.base = base;
  }

  List<Call> all() {
    CallsOfNetworks.linear(this);
    CallsOfNetworks.tokenWise(this);
    CallsOfNetworks.ladder(this);
    CallsOfNetworks.adapter(this);
    CallsOfNetworks.attentionAndPool(this);
    CallsOfTraining.features(this);
    CallsOfTraining.masks(this);
    CallsOfTraining.conv(this);
    CallsOfTraining.logits(this);
    CallsOfTraining.optimizer(this);
    return calls;
  }

  Calls in(String name, long... dims) {
    return in(name, Data.normal(seed++, size(dims)), dims);
  }

  Calls in(String name, float[] values, long... dims) {
    pending.add(new Argument(name, values, false, dims));
    return this;
  }

  Calls inOut(String name, long... dims) {
    return inOut(name, Data.normal(seed++, size(dims)), dims);
  }

  Calls inOut(String name, float[] values, long... dims) {
    pending.add(new Argument(name, values, true, dims));
    return this;
  }

  Calls out(String name, long... dims) {
    pending.add(new Argument(name, null, true, dims));
    return this;
  }

  void call(String name, Invocation invocation) {
    calls.add(new Call(name, List.copyOf(pending), invocation));
    pending = new ArrayList<>();
  }

  float[] keep() {
    return Data.flags(1, rows, 0.6);
  }

  float[] valid() {
    return Data.validity(2, batch, layout.tokens());
  }

  private static int size(long... dims) {
    long size = 1;
    for (long d : dims) {
      size *= d;
    }
    return Math.toIntExact(size);
  }
}
