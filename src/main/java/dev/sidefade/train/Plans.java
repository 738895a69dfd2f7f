package dev.sidefade.train;

import dev.sidefade.kernels.TokenLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/** Views of one memory for batches of different layouts, made when a layout is met first. */
final class Plans<T> {
  private final Function<TokenLayout, T> maker;
  private final Map<TokenLayout, T> made = new HashMap<>();

  Plans(Function<TokenLayout, T> maker) {
    this.maker = maker;
  }

  T of(TokenLayout layout) {
    T plan = made.get(layout);
    if (plan == null) {
      plan = maker.apply(layout);
      made.put(layout, plan);
    }
    return plan;
  }
}
