package dev.sidefade.report.svg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MarkupTest {
  @Test
  void escapesTextAndAttributes() {
    String nasty = "<script>alert(\"1\" & '2')</script>";
    String xml = new Markup().element("a", nasty, "b", nasty).toString();
    assertFalse(xml.contains("<script"));
    var root = Xml.parse(xml).getDocumentElement();
    assertEquals(nasty, root.getTextContent());
    assertEquals(nasty, root.getAttribute("b"));
  }

  @Test
  void anyStringStaysWellFormed() {
    Random random = new Random(11);
    for (int i = 0; i < 3000; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(20); n >= 0; n--) {
        text.append((char) (random.nextBoolean() ? random.nextInt(0x80) : random.nextInt(0x10000)));
      }
      Xml.parse(new Markup().element("a", text.toString(), "b", text.toString()).toString());
    }
  }

  @Test
  void replacesWhatXmlCannotHold() {
    assertEquals("a\uFFFDb\uFFFD", Markup.escape("a\0b\uD800"));
    assertEquals("\uD83D\uDE00", Markup.escape("\uD83D\uDE00"));
  }

  @Test
  void refusesUnclosedElementsAndOddAttributes() {
    Markup open = new Markup().open("a");
    assertThrows(IllegalStateException.class, open::toString);
    assertThrows(IllegalArgumentException.class, () -> new Markup().leaf("a", "b"));
  }

  @Test
  void numbersDoNotFollowTheLocale() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      assertEquals("<a b=\"1.5\"/>\n", new Markup().leaf("a", "b", 1.5).toString());
      assertEquals("3.142", Numbers.significant(Math.PI, 4));
      assertEquals("-2.50", Numbers.fixed(-2.5, 2));
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void significantDigits() {
    assertEquals("0", Numbers.significant(-0.0, 3));
    assertEquals("123000", Numbers.significant(123_456, 3));
    assertEquals("1.23e6", Numbers.significant(1_234_567, 3));
    assertEquals("1.2e-7", Numbers.significant(0.00000012, 3));
    assertEquals("0.0012", Numbers.significant(0.0012, 3));
    assertEquals("n/a", Numbers.significant(Double.NaN, 3));
    assertEquals("n/a", Numbers.fixed(Double.NEGATIVE_INFINITY, 3));
    assertEquals("0", Numbers.coordinate(Double.NaN));
  }
}
