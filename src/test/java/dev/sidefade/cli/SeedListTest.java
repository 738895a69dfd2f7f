package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.TypeConversionException;

/** Seeds as text. */
class SeedListTest {
  private static List<Long> seeds(String text) {
    return new SeedList.Converter().convert(text).seeds();
  }

  @Test
  void listsRangesAndCounts() {
    assertEquals(List.of(0L, 1L, 2L), seeds("0,1,2"));
    assertEquals(List.of(0L, 1L, 2L), seeds("3"));
    assertEquals(List.of(0L), seeds("1"));
    assertEquals(List.of(5L), seeds("5-5"));
    assertEquals(List.of(7L, 3L, 4L, 5L), seeds(" 7, 3-5 "));
    assertEquals(1000, seeds("1000").size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0|at least one seed",
        "1001|more than 1000",
        "0-1000|more than 1000",
        "3-1|goes down",
        "1,2,1|named twice",
        "0-3,2|named twice",
        "-1|expected seeds",
        "1;2|expected seeds",
        "1,|expected seeds",
        "many|expected seeds",
        "9999999999|expected seeds"
      })
  void wrongListsAreRefused(String text, String says) {
    TypeConversionException e =
        assertThrows(TypeConversionException.class, () -> seeds(text), text);
    assertTrue(e.getMessage().contains(says), e.getMessage());
  }

  /** Whatever is written, it is read as different seeds or refused with a sentence. */
  @Test
  void anyTextIsReadOrRefused() {
    Random random = new Random(4);
    for (int run = 0; run < 2000; run++) {
      StringBuilder text = new StringBuilder();
      for (int i = random.nextInt(8); i >= 0; i--) {
        text.append("0123456789,,- x".charAt(random.nextInt(15)));
      }
      try {
        List<Long> seeds = seeds(text.toString());
        assertEquals(seeds.size(), new HashSet<>(seeds).size(), text.toString());
        assertTrue(!seeds.isEmpty(), text.toString());
      } catch (TypeConversionException e) {
        assertTrue(e.getMessage().length() > 10, e.getMessage());
      }
    }
  }
}
