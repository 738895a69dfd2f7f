package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.SmallDisk;
import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.data.Augmentation;
import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSpec;
import dev.sidefade.data.Resizing;
import dev.sidefade.data.UnreadableImageException;
import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Features of a small backbone: computed as they are needed, kept in memory, kept in a file. */
class FeaturesTest {
  private static final int COUNT = 11;
  private static final int BATCH = 4;
  private static final long ALWAYS = Long.MAX_VALUE;

  @TempDir Path folder;
  private final Device device = Device.cpu(1);
  private Backbone backbone;

  @BeforeEach
  void open() throws IOException, URISyntaxException {
    backbone =
        Backbone.load(Path.of(getClass().getResource("/models/vit_timm_dynamo20.onnx").toURI()));
  }

  @AfterEach
  void close() {
    backbone.close();
    device.close();
  }

  private ImageSpec spec() {
    Preprocessing p = backbone.preprocessing();
    return new ImageSpec(
        p.channels(), p.height(), p.width(), p.mean(), p.std(), Resizing.STRETCHED);
  }

  private LiveFeatures live(Trunk trunk, int taps, Augmentation augmentation, ImageSource images) {
    ExampleSet examples = new ImageExamples(images, spec(), augmentation, 5, backbone.inputName());
    return new LiveFeatures(examples, FeatureSource.of(trunk), taps, BATCH, device);
  }

  private LiveFeatures live(Trunk trunk, int taps, Augmentation augmentation) {
    return live(trunk, taps, augmentation, new NoiseImages(COUNT, 3, 1));
  }

  private FeatureCache cache(Trunk trunk, int taps, long limit) throws IOException {
    try (LiveFeatures live = live(trunk, taps, Augmentation.NONE)) {
      return FeatureCache.fill(live, taps, BATCH, device, limit, folder, done -> {});
    }
  }

  /** All features of an epoch, tap by tap and then what enters the last norm. */
  private static List<float[]> epoch(FeatureFeed feed, long epoch, int[] order, int rows) {
    List<float[]> all = new ArrayList<>();
    feed.start(epoch, order, rows);
    int done = 0;
    while (done < order.length) {
      FeatureFeed.Batch batch = feed.next();
      assertEquals(Math.min(rows, order.length - done), batch.size());
      for (int i = 0; i < batch.size(); i++) {
        assertEquals(order[done + i], batch.examples()[i]);
        assertEquals(order[done + i] % 3, batch.targets().labels()[i]);
      }
      for (Tensor tap : batch.features().taps()) {
        assertEquals(batch.size(), tap.dim(0) / 10);
        all.add(tap.toFloats());
      }
      all.add(batch.features().last().toFloats());
      done += batch.size();
    }
    assertThrows(IllegalStateException.class, feed::next);
    return all;
  }

  private static void assertEqual(List<float[]> expected, List<float[]> actual) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.get(i));
    }
  }

  private static boolean equal(List<float[]> a, List<float[]> b) {
    return IntStream.range(0, a.size()).allMatch(i -> Arrays.equals(a.get(i), b.get(i)));
  }

  @Test
  void aDiskWithoutRoomForTheCacheIsAnErrorAndNoFault() throws IOException {
    Trunk trunk = backbone.openTrunk(1, List.of(0, 1, 2));
    assertTrue(bytesOf(trunk) > 8 << 10);
    try (SmallDisk disk = SmallDisk.mount(folder.resolve("disk"), 8);
        LiveFeatures live = live(trunk, 3, Augmentation.NONE)) {
      IOException full =
          assertThrows(
              IOException.class,
              () -> FeatureCache.fill(live, 3, BATCH, device, 0, disk.path(), done -> {}));
      assertTrue(full.getMessage().contains("No space left"), full.getMessage());
      assertEquals(List.of(), disk.names());
    }
  }

  private static final int[] ORDER = {7, 0, 10, 3, 3, 9, 1, 7, 2};

  @Test
  void theCacheDeliversWhatTheTrunkComputes() throws IOException {
    for (List<Integer> taps : List.of(List.of(0, 1, 2), List.of(0, 1), List.<Integer>of())) {
      Trunk trunk = backbone.openTrunk(1, taps);
      try (FeatureCache memory = cache(trunk, taps.size(), ALWAYS);
          FeatureCache file = cache(trunk, taps.size(), 0);
          LiveFeatures live = live(trunk, taps.size(), Augmentation.NONE)) {
        assertFalse(memory.mapped());
        assertTrue(file.mapped());
        assertNoFiles();
        assertEquals(COUNT, file.size());
        assertEquals(memory.bytes(), file.bytes());
        assertEquals(bytesOf(trunk), memory.bytes());
        for (int rows : new int[] {1, 3, BATCH}) {
          List<float[]> expected = epoch(memory, 0, ORDER, rows);
          assertEqual(expected, epoch(file, 7, ORDER, rows));
          assertEquals(Math.ceilDiv(ORDER.length, rows) * (taps.size() + 1), expected.size());
          assertClose(epoch(live, 0, ORDER, rows), expected);
        }
        // in the batches in which the cache was filled, even the bits are the same
        int[] all = IntStream.range(0, COUNT).toArray();
        assertEqual(epoch(live, 3, all, BATCH), epoch(memory, 0, all, BATCH));
      }
    }
  }

  /** Batches of different sizes may round differently. */
  private static void assertClose(List<float[]> expected, List<float[]> actual) {
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.get(i), 1e-5f);
    }
  }

  private static long bytesOf(Trunk trunk) {
    long bytes = 0;
    for (TrunkOutput output : trunk.outputs()) {
      bytes += 4 * Shape.of(output.shape(COUNT)).size();
    }
    return bytes;
  }

  private void assertNoFiles() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(), files.toList());
    }
  }

  @Test
  void progressIsToldToTheEnd() throws IOException {
    Trunk trunk = backbone.openTrunk(1, List.of(1));
    List<Long> told = new ArrayList<>();
    try (LiveFeatures live = live(trunk, 1, Augmentation.NONE);
        FeatureCache cache = FeatureCache.fill(live, 1, BATCH, device, ALWAYS, folder, told::add)) {
      assertEquals(COUNT, cache.size());
    }
    assertEquals(List.of(4L, 8L, 11L), told);
  }

  @Test
  void augmentedFeaturesDifferByEpochAndRepeat() {
    Trunk trunk = backbone.openTrunk(1, List.of(0, 2));
    int[] all = IntStream.range(0, COUNT).toArray();
    try (LiveFeatures plain = live(trunk, 2, Augmentation.NONE);
        LiveFeatures live = live(trunk, 2, new Augmentation(true, 2));
        LiveFeatures again = live(trunk, 2, new Augmentation(true, 2))) {
      List<float[]> first = epoch(live, 0, all, BATCH);
      List<float[]> second = epoch(live, 1, all, BATCH);
      assertFalse(equal(first, second));
      assertFalse(equal(first, epoch(plain, 0, all, BATCH)));
      assertEqual(first, epoch(live, 0, all, BATCH));
      assertEqual(second, epoch(again, 1, all, BATCH));
      assertEqual(epoch(plain, 0, all, BATCH), epoch(plain, 1, all, BATCH));
    }
  }

  @Test
  void memoryIsGivenBackEvenWhenAnImageCannotBeRead() throws IOException {
    Trunk trunk = backbone.openTrunk(1, List.of(0, 1));
    long before = device.liveBytes();
    for (long limit : new long[] {ALWAYS, 0}) {
      cache(trunk, 2, limit).close();
      assertEquals(before, device.liveBytes());
      try (LiveFeatures live =
          live(trunk, 2, Augmentation.NONE, new Spoiled(new NoiseImages(COUNT, 3, 1)))) {
        assertThrows(
            UnreadableImageException.class,
            () -> FeatureCache.fill(live, 2, BATCH, device, limit, folder, done -> {}));
      }
      assertEquals(before, device.liveBytes());
      assertNoFiles();
    }
  }

  /** The sixth image is broken. */
  private record Spoiled(ImageSource images) implements ImageSource {
    @Override
    public int size() {
      return images.size();
    }

    @Override
    public int label(int i) {
      return images.label(i);
    }

    @Override
    public List<String> classNames() {
      return images.classNames();
    }

    @Override
    public String name(int i) {
      return images.name(i);
    }

    @Override
    public void decode(int i, ImageSpec spec, float[] out, int offset) {
      if (i == 5) {
        throw new UnreadableImageException(name(i), "it is broken");
      }
      images.decode(i, spec, out, offset);
    }

    @Override
    public int skipped() {
      return 0;
    }

    @Override
    public List<String> skippedReasons() {
      return List.of();
    }

    @Override
    public void close() {}
  }
}
