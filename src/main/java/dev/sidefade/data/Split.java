package dev.sidefade.data;

import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.CounterRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Two disjoint sets of example indices, each ascending, which together are all examples.
 *
 * @param train examples to train on
 * @param heldOut examples to measure on
 */
public record Split(int[] train, int[] heldOut) {
  private static final long PURPOSE = 0x53706C6974L;

  /**
   * Holds out about {@code fraction} of the labelled examples, of every class its share (largest
   * remainders first). At least one example of every class stays for training; examples without a
   * label (-1) all do.
   *
   * @param labels class of every example, -1 for none
   * @param fraction share to hold out, in (0, 1)
   * @param seed what the random numbers follow from
   * @return both halves
   * @throws BadInputException if the fraction is out of range or so few examples are labelled that
   *     none can be held out
   */
  public static Split holdOut(int[] labels, double fraction, long seed) {
    if (!(fraction > 0 && fraction < 1)) {
      throw new BadInputException(
          "cannot hold out a share of " + fraction + ": it must lie between 0 and 1");
    }
    List<Stratum> strata = strata(labels, fraction);
    boolean[] held = new boolean[labels.length];
    int count = 0;
    for (Stratum s : strata) {
      int[] order =
          Shuffle.permutation(s.members.length, seed, CounterRandom.bits(PURPOSE, s.label, 0));
      for (int k = 0; k < s.quota; k++) {
        held[s.members[order[k]]] = true;
      }
      count += s.quota;
    }
    if (count == 0) {
      throw new BadInputException(
          "too few labelled examples to hold out a share of "
              + fraction
              + " for validation: give a validation set or more than one example of a class");
    }
    return of(held, count);
  }

  private static Split of(boolean[] held, int count) {
    int[] train = new int[held.length - count];
    int[] heldOut = new int[count];
    int t = 0;
    int h = 0;
    for (int i = 0; i < held.length; i++) {
      if (held[i]) {
        heldOut[h++] = i;
      } else {
        train[t++] = i;
      }
    }
    return new Split(train, heldOut);
  }

  /** The classes with the number to hold out of each. */
  private static List<Stratum> strata(int[] labels, double fraction) {
    Map<Integer, List<Integer>> byLabel = new TreeMap<>();
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] >= 0) {
        byLabel.computeIfAbsent(labels[i], l -> new ArrayList<>()).add(i);
      }
    }
    List<Stratum> strata = new ArrayList<>();
    long labelled = 0;
    long given = 0;
    for (Map.Entry<Integer, List<Integer>> e : byLabel.entrySet()) {
      Stratum s = new Stratum(e.getKey(), e.getValue(), fraction);
      strata.add(s);
      labelled += s.members.length;
      given += s.quota;
    }
    long wanted = Math.max(1, Math.round(labelled * fraction));
    List<Stratum> byRemainder = new ArrayList<>(strata);
    byRemainder.sort(Comparator.comparingDouble(s -> -s.remainder));
    for (Stratum s : byRemainder) {
      if (given < wanted && s.quota < s.members.length - 1) {
        s.quota++;
        given++;
      }
    }
    return strata;
  }

  private static final class Stratum {
    private final int label;
    private final int[] members;
    private final double remainder;
    private int quota;

    private Stratum(int label, List<Integer> members, double fraction) {
      double share = members.size() * fraction;
      this.label = label;
      this.members = members.stream().mapToInt(Integer::intValue).toArray();
      this.quota = Math.min((int) share, members.size() - 1);
      this.remainder = share - (int) share;
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Split s
        && Arrays.equals(train, s.train)
        && Arrays.equals(heldOut, s.heldOut);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(train) + Arrays.hashCode(heldOut);
  }
}
