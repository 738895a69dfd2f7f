package dev.sidefade.fuzz;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Damaged inputs for every parser: each is read or refused with one sentence. {@code bench/soak/run
 * fuzz} does the same with a million inputs each.
 */
class ParserFuzzTest {
  private static final int INPUTS = 3000;

  static Set<String> parsers() {
    return FuzzTargets.all().keySet();
  }

  @ParameterizedTest
  @MethodSource("parsers")
  void damagedInputsAreReadOrRefusedInOneSentence(String parser) throws IOException {
    try (FuzzTarget target = FuzzTargets.all().get(parser).open()) {
      FuzzRun run = new FuzzRun(target, 1);
      assertTimeoutPreemptively(
          Duration.ofSeconds(60),
          () -> {
            for (int i = 0; i < INPUTS; i++) {
              run.one(i);
            }
          });
      // the damage reaches the inside: neither is everything refused nor taken
      assertTrue(run.read() > INPUTS / 100, () -> parser + ": read " + run.read());
      assertTrue(run.refused() > INPUTS / 20, () -> parser + ": refused " + run.refused());
      assertArrayEquals(run.input(7), run.input(7));
    }
  }
}
