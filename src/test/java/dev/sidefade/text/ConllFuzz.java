package dev.sidefade.text;

import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.Mutator;
import java.util.List;
import java.util.random.RandomGenerator;

/** Words with tags and without. */
public final class ConllFuzz implements FuzzTarget {
  private final Mutator mutator =
      new Mutator(
          List.of(
              Mutator.bytes(
                  "\uFEFF-DOCSTART- -X- -X- O\n\nJohn NNP I-NP B-PER\r\nlives VBZ\tI-VP  O\n"
                      + " . . O O \n\n\n-DOCSTART- -X- O O\nBerlin\tB-LOC\n"),
              Mutator.bytes("John\nlives\n\nin\nBerlin")),
          List.of(
              "\n",
              "\r",
              "\t",
              " ",
              "\n\n",
              "-DOCSTART-",
              "B-",
              "I-PER",
              "O",
              "\0",
              "\u2028",
              "\u00a0",
              "\u3000",
              "\u001b[31m",
              "x".repeat(2000)));

  @Override
  public String name() {
    return "conll";
  }

  @Override
  public byte[] mutant(RandomGenerator random) {
    return mutator.mutant(random);
  }

  @Override
  public void read(byte[] input) {
    ConllFile file = ConllFile.parse("a file", TextFile.decode("a file", input));
    if (file.sentences().isEmpty()) {
      throw new IllegalStateException("no sentence and no refusal");
    }
    for (ConllFile.Sentence sentence : file.sentences()) {
      if (file.tagged() != !sentence.tags().isEmpty()) {
        throw new IllegalStateException("tags of " + sentence);
      }
    }
  }
}
