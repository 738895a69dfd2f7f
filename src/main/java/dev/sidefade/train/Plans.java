package dev.sidefade.train;

import java.util.HashMap;
import java.util.Map;
import java.util.function.IntFunction;

/** Views of one memory for batches of different sizes, made when a size is met first. */
final class Plans<T> {
  private final IntFunction<T> maker;
  private final Map<Integer, T> made = new HashMap<>();

  Plans(IntFunction<T> maker) {
    this.maker = maker;
  }

  T of(int batch) {
    T plan = made.get(batch);
    if (plan == null) {
      plan = maker.apply(batch);
      made.put(batch, plan);
    }
    return plan;
  }
}
