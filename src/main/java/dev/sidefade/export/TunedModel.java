package dev.sidefade.export;

import dev.sidefade.backbone.TunableConstant;
import dev.sidefade.tensor.BadInputException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Everything that training changed of a backbone: its end, and constants further in. The arrays are
 * not copied and must not be changed afterwards.
 *
 * @param tail final norm, read-out and head
 * @param constants new values by name: {@code sidefade.norm.N.scale}, {@code sidefade.norm.N.bias}
 *     [width] ({@link dev.sidefade.backbone.Norm#scaleInput}) and {@code sidefade.linear.N.bias}
 *     [out]; sorted
 * @param lowRank what is added to weights, by the linear layer's name {@code sidefade.linear.N};
 *     sorted
 */
public record TunedModel(
    TunedTail tail, Map<String, float[]> constants, Map<String, LowRank> lowRank) {
  private static final String NUMBER = "(0|[1-9][0-9]{0,8})";
  private static final Pattern CONSTANT =
      Pattern.compile(
          "sidefade\\.(norm\\." + NUMBER + "\\.(scale|bias)|linear\\." + NUMBER + "\\.bias)");
  private static final Pattern LINEAR = Pattern.compile("sidefade\\.linear\\." + NUMBER);

  /**
   * Checks names and that all values are finite. Whether they fit a backbone is seen when they meet
   * one.
   *
   * @throws BadInputException naming what is wrong
   */
  public TunedModel {
    constants = Collections.unmodifiableMap(new TreeMap<>(constants));
    lowRank = Collections.unmodifiableMap(new TreeMap<>(lowRank));
    for (Map.Entry<String, float[]> constant : constants.entrySet()) {
      if (!isConstant(constant.getKey())) {
        throw unknown(constant.getKey());
      }
      TunedTail.check(constant.getKey(), constant.getValue(), constant.getValue().length);
    }
    for (String name : lowRank.keySet()) {
      if (!isLinear(name)) {
        throw unknown(name);
      }
    }
  }

  /**
   * {@return a model of which only the end was tuned}
   *
   * @param tail what was tuned at its end
   */
  public static TunedModel of(TunedTail tail) {
    return new TunedModel(tail, Map.of(), Map.of());
  }

  /**
   * {@return a model of trained constants}
   *
   * @param tail what was tuned at its end
   * @param trained the constants that were tuned; both halves of each low-rank change are among
   *     them
   * @param values the elements of a constant by its name, row-major
   */
  public static TunedModel of(
      TunedTail tail, List<TunableConstant> trained, Function<String, float[]> values) {
    Map<String, TunableConstant> byName = new TreeMap<>();
    trained.forEach(constant -> byName.put(constant.name(), constant));
    Map<String, float[]> constants = new TreeMap<>();
    Map<String, LowRank> lowRank = new TreeMap<>();
    for (TunableConstant constant : trained) {
      String name = constant.name();
      if (!constant.lowRank()) {
        constants.put(name, values.apply(name));
      } else if (constant.kind() == TunableConstant.Kind.LOW_RANK_IN) {
        String layer = name.substring(0, name.length() - LowRank.A.length());
        TunableConstant other = Objects.requireNonNull(byName.get(layer + LowRank.B));
        lowRank.put(
            layer,
            new LowRank(
                values.apply(name),
                values.apply(other.name()),
                Math.toIntExact(constant.shape().dim(1)),
                Math.toIntExact(constant.shape().dim(0)),
                Math.toIntExact(other.shape().dim(1))));
      }
    }
    return new TunedModel(tail, constants, lowRank);
  }

  /** {@return whether nothing but the end was tuned} */
  public boolean isTailOnly() {
    return constants.isEmpty() && lowRank.isEmpty();
  }

  /** Name of a linear layer. */
  static String linear(int position) {
    return "sidefade.linear." + position;
  }

  static boolean isConstant(String name) {
    return CONSTANT.matcher(name).matches();
  }

  static boolean isLinear(String name) {
    return LINEAR.matcher(name).matches();
  }

  private static BadInputException unknown(String name) {
    return new BadInputException(
        "there is nothing to tune named "
            + name
            + "; sidefade.norm.N.scale, sidefade.norm.N.bias, sidefade.linear.N.bias, and"
            + " sidefade.linear.N for a low-rank change are known");
  }
}
