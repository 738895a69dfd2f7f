package dev.sidefade.train;

import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Features without a backbone: noise around a mean of the example's class, which grows from tap to
 * tap. Labelled examples come first.
 */
final class SyntheticFeed implements FeatureFeed {
  private final Arena arena = Arena.ofShared();
  private final TokenLayout layout;
  private final List<Tensor> stored = new ArrayList<>();
  private final List<Tensor> gathered = new ArrayList<>();
  private final int[] labels;
  private int[] order;
  private int rows;
  private int position;

  /**
   * @param layout of the largest batch
   * @param widths of the taps
   * @param guessable whether the features say anything about the label
   */
  SyntheticFeed(
      TokenLayout layout,
      List<Integer> widths,
      int labelled,
      int unlabelled,
      int classes,
      boolean guessable,
      long seed) {
    this.layout = layout;
    int size = labelled + unlabelled;
    labels = new int[size];
    for (int l = 0; l < widths.size(); l++) {
      stored.add(tensor((long) size * layout.tokens(), widths.get(l)));
      gathered.add(tensor(layout.rows(), widths.get(l)));
    }
    for (int i = 0; i < size; i++) {
      int label = CounterRandom.below(classes, seed, 1, i);
      labels[i] = i < labelled ? label : -1;
      for (int l = 0; l < widths.size(); l++) {
        fill(i, l, guessable ? label : 0, seed);
      }
    }
  }

  private void fill(int example, int tap, int label, long seed) {
    Tensor all = stored.get(tap);
    long width = all.dim(1);
    long from = (long) example * layout.tokens() * width;
    for (long at = 0; at < layout.tokens() * width; at++) {
      float mean = CounterRandom.normal(99, label, at % width);
      float noise = CounterRandom.normal(seed, 2 + tap, from + at);
      all.set(from + at, 0.3f * (tap + 1) * mean + noise);
    }
  }

  private Tensor tensor(long... dims) {
    Shape shape = Shape.of(dims);
    MemorySegment memory = arena.allocate(shape.size() * Float.BYTES, 64);
    return Tensor.wrap(memory, shape, DType.F32);
  }

  /** Makes one value of the last tap of an example unusable. */
  void spoil(int example) {
    Tensor last = stored.getLast();
    last.set((long) example * layout.tokens() * last.dim(1) + 2, Float.NaN);
  }

  @Override
  public int size() {
    return labels.length;
  }

  @Override
  public int[] walk() {
    return IntStream.range(0, size()).toArray();
  }

  int label(int example) {
    return labels[example];
  }

  @Override
  public void start(long epoch, int[] newOrder, int newRows) {
    order = newOrder;
    rows = newRows;
    position = 0;
  }

  @Override
  public Batch next() {
    int count = Math.min(rows, order.length - position);
    int[] examples = new int[count];
    int[] batchLabels = new int[count];
    for (int i = 0; i < count; i++) {
      examples[i] = order[position + i];
      batchLabels[i] = labels[examples[i]];
    }
    position += count;
    List<Tensor> taps = new ArrayList<>();
    for (int l = 0; l < stored.size(); l++) {
      long width = stored.get(l).dim(1);
      Tensor to = gathered.get(l).slice(0, (long) count * layout.tokens(), width);
      long one = layout.tokens() * width;
      for (int i = 0; i < count; i++) {
        to.slice(i * one, one).copyFrom(stored.get(l).slice(examples[i] * one, one));
      }
      taps.add(to);
    }
    return new Batch(
        new TrunkFeatures(taps, taps.getLast(), layout.tokens(), null, null),
        examples,
        Targets.classes(batchLabels));
  }

  @Override
  public void close() {
    arena.close();
  }
}
