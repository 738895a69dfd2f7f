package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Features of texts of different lengths: computed as they are needed and kept. */
class TextFeaturesTest {
  private static final int BATCH = 5;
  private static final List<Integer> TAPS = List.of(0, 1, 2);
  private static final int[] ORDER = {7, 0, 10, 3, 3, 22, 1, 7, 2, 15, 21, 8};

  @TempDir Path folder;
  private final Device device = Device.cpu(1);
  private Backbone backbone;
  private TextSet set;

  @BeforeEach
  void open() throws IOException {
    open("minilm_legacy11");
  }

  private void open(String model) throws IOException {
    backbone = Backbone.load(MadeTexts.resource("/models/" + model + ".onnx"));
    set =
        new TextSet(
            MadeTexts.examples(Task.TOKENS, 23, 4), Task.TOKENS, MadeTexts.inputs(backbone));
  }

  @AfterEach
  void close() {
    backbone.close();
    device.close();
  }

  private LiveFeatures live(List<Integer> taps) {
    FeatureSource source = FeatureSource.of(backbone.openTrunk(1, taps));
    return new LiveFeatures(set, source, taps.size(), BATCH, device);
  }

  private FeatureCache cache(List<Integer> taps, long limit) throws IOException {
    try (LiveFeatures live = live(taps)) {
      return FeatureCache.fill(live, taps.size(), BATCH, device, limit, folder, done -> {});
    }
  }

  @Test
  void theCacheDeliversWhatTheTrunkComputes() throws IOException {
    for (String model : List.of("minilm_legacy11", "roberta_dynamo20", "distilbert_legacy17")) {
      backbone.close();
      open(model);
      for (long limit : new long[] {Long.MAX_VALUE, 0}) {
        try (FeatureCache cache = cache(TAPS, limit);
            LiveFeatures live = live(TAPS)) {
          assertEquals(limit == 0, cache.mapped());
          for (int rows : new int[] {1, 3, BATCH}) {
            assertSameBatches(live, cache, ORDER, rows);
          }
          assertSameBatches(live, cache, set.walk(), BATCH);
          assertArrayEquals(live.walk(), cache.walk());
        }
      }
    }
  }

  private void assertSameBatches(FeatureFeed live, FeatureFeed cache, int[] order, int rows) {
    live.start(0, order, rows);
    cache.start(0, order, rows);
    for (int done = 0; done < order.length; done += rows) {
      FeatureFeed.Batch expected = live.next();
      FeatureFeed.Batch actual = cache.next();
      assertArrayEquals(expected.examples(), actual.examples());
      assertArrayEquals(expected.targets().labels(), actual.targets().labels());
      TrunkFeatures a = expected.features();
      TrunkFeatures b = actual.features();
      assertEquals(a.tokens(), b.tokens());
      assertArrayEquals(a.valid().toFloats(), b.valid().toFloats());
      assertClose(a.last(), b.last(), a.valid());
      assertEquals(TAPS.size(), b.taps().size());
      for (int tap = 0; tap < TAPS.size(); tap++) {
        assertClose(a.taps().get(tap), b.taps().get(tap), a.valid());
      }
    }
  }

  /** What the trunk makes of padding is of no interest; the cache has zeros there. */
  private static void assertClose(Tensor live, Tensor cached, Tensor valid) {
    assertEquals(live.shape(), cached.shape());
    long width = live.dim(1);
    for (long row = 0; row < live.dim(0); row++) {
      for (long at = row * width; at < (row + 1) * width; at++) {
        if (valid.get(row) > 0) {
          assertEquals(live.get(at), cached.get(at), 1e-5f);
        } else {
          assertEquals(0, cached.get(at));
        }
      }
    }
  }

  @Test
  void paddingIsNotKept() throws IOException {
    long tokens = 0;
    for (int i = 0; i < set.size(); i++) {
      tokens += set.tokens(i);
    }
    try (FeatureCache cache = cache(List.of(1), Long.MAX_VALUE)) {
      // the tap and what enters the last norm, floats of width 32
      assertEquals(2 * tokens * 32 * 4, cache.bytes());
    }
  }

  /** A text has the same features alone and beside longer ones. */
  @Test
  void paddingChangesNothing() {
    int[] walk = set.walk();
    int shortest = walk[0];
    int longest = walk[walk.length - 1];
    try (LiveFeatures live = live(TAPS)) {
      live.start(0, new int[] {shortest}, BATCH);
      FeatureFeed.Batch alone = live.next();
      int tokens = set.tokens(shortest);
      long width = alone.features().last().dim(1);
      float[] expected = alone.features().last().slice(0, tokens * width).toFloats();
      int padded = alone.features().tokens();
      live.start(0, new int[] {longest, shortest}, BATCH);
      TrunkFeatures both = live.next().features();
      assertTrue(both.tokens() > padded);
      long from = both.tokens() * width;
      assertArrayEquals(expected, both.last().slice(from, tokens * width).toFloats(), 1e-5f);
    }
  }

  @Test
  void pairedFeaturesTakeTapsFromOneAndTheEndFromTheOther() throws IOException {
    try (FeatureCache frozen = cache(TAPS, Long.MAX_VALUE);
        LiveFeatures learning = live(List.of());
        FeatureCache again = cache(TAPS, Long.MAX_VALUE);
        LiveFeatures end = live(List.of())) {
      PairedFeatures both = new PairedFeatures(frozen, learning);
      assertEquals(set.size(), both.size());
      assertArrayEquals(set.walk(), both.walk());
      both.start(2, ORDER, 4);
      again.start(2, ORDER, 4);
      end.start(2, ORDER, 4);
      for (int done = 0; done < ORDER.length; done += 4) {
        FeatureFeed.Batch batch = both.next();
        TrunkFeatures taps = again.next().features();
        FeatureFeed.Batch last = end.next();
        assertArrayEquals(last.examples(), batch.examples());
        assertArrayEquals(last.targets().labels(), batch.targets().labels());
        assertArrayEquals(last.features().last().toFloats(), batch.features().last().toFloats());
        assertArrayEquals(last.features().valid().toFloats(), batch.features().valid().toFloats());
        assertEquals(taps.tokens(), batch.features().tokens());
        for (int tap = 0; tap < TAPS.size(); tap++) {
          assertArrayEquals(
              taps.taps().get(tap).toFloats(), batch.features().taps().get(tap).toFloats());
        }
      }
    }
  }
}
