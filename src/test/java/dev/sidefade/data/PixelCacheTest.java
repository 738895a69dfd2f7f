package dev.sidefade.data;

import static dev.sidefade.data.TestImages.spec;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PixelCacheTest {
  private static Pixels grey(int side) {
    return new Pixels(side, side, 1, new byte[side * side]);
  }

  @Test
  void staysWithinItsBudget() {
    PixelCache cache = new PixelCache(3, 250);
    cache.putDecoded(0, grey(10));
    cache.putDecoded(1, grey(10));
    cache.putDecoded(2, grey(10));
    assertTrue(cache.decoded(1).isPresent());
    assertFalse(cache.decoded(2).isPresent());
    assertEquals(200, cache.used());
    cache.putPrepared(0, spec(1, 5, 5), grey(5));
    assertFalse(cache.decoded(0).isPresent());
    assertEquals(125, cache.used());
    cache.putPrepared(2, spec(1, 5, 5), grey(5));
    assertEquals(150, cache.used());
    cache.putPrepared(1, spec(1, 5, 5), grey(15)); // 25 + 25 + 225 would not fit
    assertTrue(cache.decoded(1).isPresent());
    assertFalse(cache.prepared(1, spec(1, 5, 5)).isPresent());
    assertEquals(150, cache.used());
  }

  @Test
  void keepsTheFirstGeometry() {
    PixelCache cache = new PixelCache(2, 1000);
    Pixels p = grey(4);
    cache.putPrepared(0, spec(1, 4, 4), p);
    cache.putPrepared(0, spec(1, 5, 5), grey(5));
    assertSame(p, cache.prepared(0, spec(1, 4, 4)).orElseThrow());
    assertFalse(cache.prepared(0, spec(1, 5, 5)).isPresent());
    ImageSpec otherScale =
        new ImageSpec(1, 4, 4, new float[] {0.5f}, new float[] {0.5f}, Resizing.STRETCHED);
    assertSame(p, cache.prepared(0, otherScale).orElseThrow());
  }
}
