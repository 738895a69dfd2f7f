package dev.sidefade.text;

/**
 * Which tokens of an encoded text or pair stay when it is cut to a length: special tokens around
 * the texts all do, of each text as many as there is room for. The same as cutting first and adding
 * special tokens then, as the tokenizers library does, but in time that is linear in the length of
 * both texts.
 */
final class Cut {
  private Cut() {}

  /**
   * The indices of the tokens that stay, ascending.
   *
   * @param sequences for every token 0 or 1 for the text it comes from, -1 for a special token that
   *     belongs to none
   * @param maxLength tokens that stay at most; more than there are special ones
   * @param left whether texts lose their beginning instead of their end
   */
  static int[] kept(long[] sequences, int maxLength, boolean left) {
    int[] lengths = new int[2];
    int specials = 0;
    for (long s : sequences) {
      if (s < 0) {
        specials++;
      } else {
        lengths[(int) s]++;
      }
    }
    int[] keep = longestFirst(lengths[0], lengths[1], maxLength - specials);
    int[] kept = new int[specials + keep[0] + keep[1]];
    int[] seen = new int[2];
    int n = 0;
    for (int i = 0; i < sequences.length; i++) {
      int s = (int) sequences[i];
      if (s >= 0) {
        int rank = left ? lengths[s] - 1 - seen[s] : seen[s];
        seen[s]++;
        if (rank >= keep[s]) {
          continue;
        }
      }
      kept[n++] = i;
    }
    return kept;
  }

  /**
   * How many tokens of each of two texts stay: the longer one is cut down to the other, then both
   * alike, the second being left one more where the room is odd and both exceed half of it.
   */
  static int[] longestFirst(int first, int second, int room) {
    if (first + second <= room) {
      return new int[] {first, second};
    }
    int shorter = Math.min(first, second);
    int longer = Math.max(shorter, room - shorter);
    if (shorter + longer > room) {
      shorter = room / 2;
      longer = room - shorter;
    }
    return first > second ? new int[] {longer, shorter} : new int[] {shorter, longer};
  }
}
