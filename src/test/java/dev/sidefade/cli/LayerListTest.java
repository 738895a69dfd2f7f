package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

/** The notation of lists of taps. */
class LayerListTest {
  private static final LayerList.Converter CONVERTER = new LayerList.Converter();

  @Test
  void numbersAndRangesKeepTheirOrder() {
    assertEquals(List.of(4, 0, 1, 2), CONVERTER.convert(" 4, 0-2").numbers());
    assertEquals(List.of(7), CONVERTER.convert("7-7").numbers());
    assertEquals(new LayerList(true, List.of()), CONVERTER.convert("all"));
    assertEquals(new LayerList(false, List.of()), CONVERTER.convert("none"));
  }

  @Test
  void whatIsPrintedCanBeRead() {
    Random random = new Random(3);
    for (int run = 0; run < 200; run++) {
      List<Integer> numbers = random.ints(random.nextInt(1, 6), 0, 30).distinct().boxed().toList();
      LayerList list = new LayerList(false, numbers);
      assertEquals(list, CONVERTER.convert(list.toString()));
    }
    assertEquals("all", new LayerList(true, List.of()).toString());
    assertEquals("none", new LayerList(false, List.of()).toString());
  }

  /**
   * Any text is either read as distinct numbers or refused as a wrong value, never anything else.
   */
  @Test
  void anyTextIsReadOrRefused() {
    String letters = "0123456789,,--- anoel";
    Random random = new Random(4);
    int refused = 0;
    for (int run = 0; run < 5000; run++) {
      StringBuilder text = new StringBuilder();
      for (int i = random.nextInt(8); i >= 0; i--) {
        text.append(letters.charAt(random.nextInt(letters.length())));
      }
      try {
        List<Integer> numbers = CONVERTER.convert(text.toString()).numbers();
        assertEquals(numbers.size(), new HashSet<>(numbers).size(), text.toString());
      } catch (TypeConversionException e) {
        refused++;
      }
    }
    assertEquals(true, refused > 1000 && refused < 5000, refused + " refused");
  }

  @Test
  void emptyPartsAreRefused() {
    for (String text : List.of("", ",", "1,", "1,,2", "-1", "1-", "1--2", "1-2-3", "١")) {
      assertThrows(TypeConversionException.class, () -> CONVERTER.convert(text), text);
    }
  }
}
