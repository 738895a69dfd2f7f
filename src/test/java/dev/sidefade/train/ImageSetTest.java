package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSpec;
import dev.sidefade.data.Resizing;
import org.junit.jupiter.api.Test;

/** Views of image sources. */
class ImageSetTest {
  private static final ImageSpec SPEC =
      new ImageSpec(1, 2, 3, new float[] {0}, new float[] {1}, Resizing.STRETCHED);

  private static float[] decode(ImageSource source, int i) {
    float[] out = new float[SPEC.size() + 2];
    source.decode(i, SPEC, out, 2);
    return out;
  }

  @Test
  void unlabelledImagesFollowWithoutTheirLabels() {
    NoiseImages labelled = new NoiseImages(5, 2, 1);
    NoiseImages pool = new NoiseImages(4, 3, 2);
    ImageSet set = new ImageSet(labelled, pool);
    assertEquals(9, set.size());
    assertArrayEquals(new int[] {0, 1, 0, 1, 0, -1, -1, -1, -1}, set.labels());
    assertEquals(labelled.classNames(), set.classNames());
    assertEquals("noise 1.4", set.name(4));
    assertEquals("noise 2.0", set.name(5));
    assertArrayEquals(decode(labelled, 4), decode(set, 4));
    assertArrayEquals(decode(pool, 3), decode(set, 8));
    ImageSet alone = new ImageSet(labelled, null);
    assertEquals(5, alone.size());
    assertEquals(0, alone.skipped());
    alone.close();
    set.close();
  }

  @Test
  void aSubsetHasTheImagesThatItNames() {
    NoiseImages all = new NoiseImages(9, 4, 1);
    int[] indices = {8, 2, 2, 5};
    ImageSubset some = new ImageSubset(all, indices);
    indices[0] = 0;
    assertEquals(4, some.size());
    assertArrayEquals(new int[] {0, 2, 2, 1}, some.labels());
    assertEquals("noise 1.8", some.name(0));
    assertArrayEquals(decode(all, 5), decode(some, 3));
    assertEquals(all.classNames(), some.classNames());
    some.close();
  }
}
