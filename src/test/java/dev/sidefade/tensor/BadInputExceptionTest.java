package dev.sidefade.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Whatever a message quotes, it is one line that a terminal can show. */
class BadInputExceptionTest {
  private static String shown(String message) {
    assertEquals(
        new BadInputException(message).getMessage(),
        new BadInputException(message, new IllegalStateException()).getMessage());
    return new BadInputException(message).getMessage();
  }

  @Test
  void sentencesStayAsTheyAre() {
    String sentence = "file \u00e9\u4e2d \uD83D\uDE00 is empty";
    assertEquals(sentence, shown(sentence));
    assertEquals("bad input", shown(null));
  }

  @Test
  void linesAreJoined() {
    assertEquals(
        "is not valid JSON: Expected ':' See a page",
        shown("is not valid JSON: Expected ':'\n  See a page\r\n"));
  }

  @Test
  void controlsAreTakenOut() {
    assertEquals("tensor a?[31mb?c??", shown("tensor a\u001b[31mb\0c\u2028\uD83D"));
  }

  @Test
  void longOnesLoseTheirMiddle() {
    String message = shown("the name " + "x".repeat(1 << 20) + " is too long");
    assertEquals(2000, message.length());
    assertTrue(message.startsWith("the name xxx") && message.endsWith(" is too long"), message);
  }
}
