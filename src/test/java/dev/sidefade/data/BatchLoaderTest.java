package dev.sidefade.data;

import static dev.sidefade.data.TestImages.spec;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.data.BatchLoader.Batch;
import dev.sidefade.tensor.Shape;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BatchLoaderTest {
  private static final ImageSpec SPEC = spec(3, 4, 5);

  /** Image i consists of i + 1, i + 2, ...; {@code before} runs first. */
  private record Counting(int size, IntConsumer before) implements ImageSource {
    @Override
    public int label(int i) {
      return i % 3 - 1;
    }

    @Override
    public List<String> classNames() {
      return List.of("a", "b");
    }

    @Override
    public String name(int i) {
      return "image " + i;
    }

    @Override
    public void decode(int i, ImageSpec spec, float[] out, int offset) {
      before.accept(i);
      for (int k = 0; k < spec.size(); k++) {
        out[offset + k] = i + 1 + k;
      }
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

  private static ImageSource counting(int size) {
    return new Counting(size, i -> {});
  }

  private static BatchLoader loader(ImageSource source, int[] order, int batch) {
    return new BatchLoader(source, SPEC, Augmentation.NONE, 0, 0, order, batch);
  }

  @Test
  void givesEveryImageInOrder() {
    for (int n : new int[] {0, 1, 3, 4, 7, 8, 50}) {
      for (int batchSize : new int[] {1, 2, 4, 8, 100}) {
        int[] order = Shuffle.permutation(n, 1, n);
        try (BatchLoader loader = loader(counting(n), order, batchSize)) {
          int seen = 0;
          for (Optional<Batch> next = loader.next(); next.isPresent(); next = loader.next()) {
            Batch b = next.get();
            assertEquals(Math.min(batchSize, n - seen), b.size());
            assertEquals(Shape.of(b.size(), 3, 4, 5), b.images().shape());
            assertArrayEquals(Arrays.copyOfRange(order, seen, seen + b.size()), b.indices());
            assertBatch(b);
            seen += b.size();
          }
          assertEquals(n, seen);
          assertTrue(loader.next().isEmpty());
        }
      }
    }
  }

  private static void assertBatch(Batch b) {
    float[] images = b.images().toFloats();
    for (int k = 0; k < b.size(); k++) {
      assertEquals(b.indices()[k] % 3 - 1, b.labels()[k]);
      for (int e = 0; e < SPEC.size(); e++) {
        assertEquals(b.indices()[k] + 1 + e, images[k * SPEC.size() + e]);
      }
    }
  }

  @Test
  void aBatchStaysWholeWhileItIsHeld() throws InterruptedException {
    AtomicInteger decoded = new AtomicInteger();
    ImageSource source = new Counting(40, i -> decoded.incrementAndGet());
    try (BatchLoader loader = loader(source, IntStream.range(0, 40).toArray(), 4)) {
      Batch first = loader.next().orElseThrow();
      long end = System.nanoTime() + 5_000_000_000L;
      while (decoded.get() < 12 && System.nanoTime() < end) {
        Thread.sleep(1);
      }
      Thread.sleep(30);
      assertEquals(12, decoded.get(), "one batch held and two ahead");
      assertBatch(first);
    }
  }

  @Test
  void augmentsByKeyWhateverTheBatchSize() {
    Augmentation augmentation = new Augmentation(true, 1);
    int[] order = IntStream.range(0, 30).toArray();
    for (int batchSize : new int[] {1, 7, 30}) {
      try (BatchLoader loader =
          new BatchLoader(counting(30), SPEC, augmentation, 9, 4, order, batchSize)) {
        for (Optional<Batch> next = loader.next(); next.isPresent(); next = loader.next()) {
          float[] images = next.get().images().toFloats();
          for (int k = 0; k < next.get().size(); k++) {
            int index = next.get().indices()[k];
            float[] expected = new float[SPEC.size()];
            counting(30).decode(index, SPEC, expected, 0);
            augmentation.apply(expected, 0, SPEC, Augmentation.key(9, 4, index));
            float[] found = Arrays.copyOfRange(images, k * SPEC.size(), (k + 1) * SPEC.size());
            assertArrayEquals(expected, found);
          }
        }
      }
    }
  }

  @Test
  void theDecodersFailureSurfacesAfterTheBatchesBefore() {
    ImageSource source =
        new Counting(
            10,
            i -> {
              if (i == 5) {
                throw new UnreadableImageException("image 5", "test");
              }
            });
    try (BatchLoader loader = loader(source, IntStream.range(0, 10).toArray(), 2)) {
      assertBatch(loader.next().orElseThrow());
      assertBatch(loader.next().orElseThrow());
      assertEquals("test", assertThrows(UnreadableImageException.class, loader::next).reason());
      assertTrue(loader.next().isEmpty());
    }
    ImageSource broken =
        new Counting(
            1,
            i -> {
              throw new AssertionError("bug");
            });
    try (BatchLoader loader = loader(broken, new int[] {0}, 2)) {
      assertThrows(AssertionError.class, loader::next);
    }
  }

  @Test
  void closesPromptlyWhereverItIs() {
    ImageSource slow =
        new Counting(
            1_000_000,
            i -> {
              try {
                Thread.sleep(20);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    int[] order = IntStream.range(0, 1_000_000).toArray();
    assertTimeoutPreemptively(
        Duration.ofSeconds(5),
        () -> {
          for (int taken = 0; taken < 3; taken++) {
            BatchLoader loader = loader(slow, order, taken == 2 ? 1 : 1000);
            if (taken == 2) {
              loader.next();
            }
            Thread.sleep(taken * 30);
            loader.close();
            loader.close();
            assertThrows(IllegalStateException.class, loader::next);
          }
          BatchLoader full = loader(counting(100), Arrays.copyOf(order, 100), 2);
          full.next();
          Thread.sleep(20); // by now it waits for a free buffer
          full.close();
        });
    assertFalse(
        Thread.getAllStackTraces().keySet().stream()
            .anyMatch(t -> t.getName().equals("sidefade-batch-loader")));
  }

  @Test
  void aWaitingCallerHearsOfTheClose() throws InterruptedException {
    CountDownLatch decoding = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    ImageSource stuck =
        new Counting(
            1,
            i -> {
              decoding.countDown();
              try {
                never.await();
              } catch (InterruptedException e) {
                throw new UnreadableImageException("image", "interrupted");
              }
            });
    BatchLoader loader = loader(stuck, new int[] {0}, 1);
    AtomicInteger failures = new AtomicInteger();
    Thread caller =
        Thread.ofPlatform()
            .start(() -> {
              try {
                loader.next();
              } catch (RuntimeException e) {
                failures.incrementAndGet();
              }
            });
    decoding.await();
    loader.close();
    caller.join(5000);
    assertEquals(1, failures.get());
  }

  @Test
  void refusesNonsense() {
    assertThrows(IllegalArgumentException.class, () -> loader(counting(3), new int[] {0}, 0));
    assertThrows(IllegalArgumentException.class, () -> loader(counting(3), new int[] {3}, 1));
    assertThrows(IllegalArgumentException.class, () -> loader(counting(3), new int[] {-1}, 1));
  }
}
