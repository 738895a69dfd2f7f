package dev.sidefade.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** Decoding and resizing against Pillow; tools/golden/resize_golden.py made the values. */
class GoldenImagesTest {
  private static List<String[]> lines(String kind) throws IOException {
    try (InputStream in = GoldenImagesTest.class.getResourceAsStream("images_golden.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
          .lines()
          .map(l -> l.split(" "))
          .filter(l -> l[0].equals(kind))
          .toList();
    }
  }

  @Test
  void resizesExactlyAsPillow() throws IOException {
    List<String[]> cases = lines("resize");
    assertEquals(37, cases.size());
    for (String[] l : cases) {
      int w = Integer.parseInt(l[1]);
      int h = Integer.parseInt(l[2]);
      int c = Integer.parseInt(l[3]);
      ImageSpec spec =
          new ImageSpec(
              Integer.parseInt(l[4]),
              Integer.parseInt(l[5]),
              Integer.parseInt(l[6]),
              new float[] {0},
              new float[] {1},
              new Resizing(
                  Resizing.Interpolation.valueOf(l[9].toUpperCase(Locale.ROOT)),
                  l[8].equals("keep"),
                  Double.parseDouble(l[7])));
      Pixels out = Resize.prepare(new Pixels(w, h, c, noise(w, h, c)), spec);
      assertArrayEquals(
          HexFormat.of().parseHex(l[10]), out.data(), String.join(" ", List.of(l).subList(0, 10)));
    }
  }

  @Test
  void decodesAsPillow() throws IOException {
    List<String[]> cases = lines("decode");
    assertEquals(21, cases.size());
    for (String[] l : cases) {
      Pixels p = new ImageDecoder().decode(l[1], Base64.getDecoder().decode(l[7]));
      assertEquals(Integer.parseInt(l[3]), p.width(), l[1]);
      assertEquals(Integer.parseInt(l[4]), p.height(), l[1]);
      byte[] expected = HexFormat.of().parseHex(l[6]);
      byte[] found = p.withChannels(Integer.parseInt(l[5])).data();
      int worst = 0;
      for (int i = 0; i < expected.length; i++) {
        worst = Math.max(worst, Math.abs((expected[i] & 0xFF) - (found[i] & 0xFF)));
      }
      int tolerance = Integer.parseInt(l[2]);
      assertTrue(worst <= tolerance, l[1] + " differs by " + worst + " grey levels");
    }
  }

  private static byte[] noise(int w, int h, int c) {
    long state = w * 1000003L + h * 1009L + c;
    byte[] out = new byte[w * h * c];
    for (int i = 0; i < out.length; i++) {
      state = state * 6364136223846793005L + 1442695040888963407L;
      out[i] = (byte) (state >>> 56);
    }
    return out;
  }
}
