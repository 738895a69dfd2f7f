package dev.sidefade.fuzz;

import java.io.IOException;
import java.util.random.RandomGenerator;

/** A parser to which damaged inputs are given. */
public interface FuzzTarget extends AutoCloseable {
  /** What it is called in results. */
  String name();

  /** A damaged input, the same for the same random numbers. */
  byte[] mutant(RandomGenerator random);

  /**
   * Parses an input and looks at everything that is parsed lazily. A parser may refuse with {@link
   * dev.sidefade.tensor.BadInputException} or {@link IOException} and in no other way.
   */
  void read(byte[] input) throws IOException;

  /** Bytes that one input may have allocated. */
  default long mostBytes() {
    return 64L << 20;
  }

  @Override
  default void close() throws IOException {}
}
