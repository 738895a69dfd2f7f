package dev.sidefade.train;

import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The trunk's outputs for all examples, computed once: the trunk does not change while the head,
 * the last norm and the side network learn. Kept in memory where it fits, in a mapped temporary
 * file otherwise.
 */
public final class FeatureCache implements FeatureFeed {
  /** Hears of progress. */
  @FunctionalInterface
  public interface Progress {
    void examples(long done);
  }

  private final Trunk trunk;
  private final int taps;
  private final int[] labels;
  private final Arena arena = Arena.ofShared();

  /** One per output of the trunk: [examples, ...]. */
  private final List<Tensor> stored = new ArrayList<>();

  private final List<Tensor> gathered = new ArrayList<>();
  private final long bytes;
  private final boolean mapped;
  private int[] order;
  private int rows;
  private int position;

  /**
   * Runs the trunk over all images of {@code live}.
   *
   * @param batch largest batch that will be asked for
   * @param memoryLimit bytes above which the cache goes to a file in {@code folder}
   */
  public static FeatureCache fill(
      LiveFeatures live,
      Trunk trunk,
      int taps,
      int batch,
      Device device,
      long memoryLimit,
      Path folder,
      Progress progress)
      throws IOException {
    FeatureCache cache = new FeatureCache(live, trunk, taps, batch, device, memoryLimit, folder);
    try {
      cache.fillFrom(live, batch, progress);
      return cache;
    } catch (RuntimeException e) {
      cache.close();
      throw e;
    }
  }

  private FeatureCache(
      LiveFeatures live,
      Trunk trunk,
      int taps,
      int batch,
      Device device,
      long memoryLimit,
      Path folder)
      throws IOException {
    this.trunk = trunk;
    this.taps = taps;
    this.labels = IntStream.range(0, live.size()).map(live::label).toArray();
    long total = 0;
    for (TrunkOutput output : trunk.outputs()) {
      total = Math.addExact(total, Shape.of(output.shape(live.size())).size() * 4);
    }
    bytes = total;
    mapped = total > memoryLimit;
    MemorySegment memory = mapped ? mapFile(folder, total) : arena.allocate(total, 64);
    long at = 0;
    for (TrunkOutput output : trunk.outputs()) {
      Shape shape = Shape.of(output.shape(live.size()));
      stored.add(Tensor.wrap(memory.asSlice(at, shape.size() * 4), shape, DType.F32));
      gathered.add(device.allocate(output.shape(Math.min(batch, live.size()))));
      at += shape.size() * 4;
    }
  }

  /**
   * The file is deleted at once and lives as long as the mapping: a killed run leaves nothing
   * behind.
   */
  private MemorySegment mapFile(Path folder, long size) throws IOException {
    Path file = Files.createTempFile(folder, ".features", ".bin");
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return channel.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private void fillFrom(LiveFeatures live, int batch, Progress progress) {
    live.start(0, IntStream.range(0, live.size()).toArray(), batch);
    int done = 0;
    while (done < live.size()) {
      int count = live.next().size();
      List<Tensor> outputs = live.outputs(count);
      for (int i = 0; i < outputs.size(); i++) {
        Tensor all = stored.get(i);
        long one = all.size() / size();
        all.slice(done * one, count * one).copyFrom(outputs.get(i).view(count * one));
      }
      done += count;
      progress.examples(done);
    }
  }

  /** Bytes of all features. */
  public long bytes() {
    return bytes;
  }

  /** Whether they are in a mapped file rather than in memory. */
  public boolean mapped() {
    return mapped;
  }

  @Override
  public int size() {
    return labels.length;
  }

  @Override
  public int label(int example) {
    return labels[example];
  }

  @Override
  public void start(long epoch, int[] newOrder, int newRows) {
    order = newOrder;
    rows = newRows;
    position = 0;
  }

  @Override
  public Batch next() {
    int count = Math.min(rows, order.length - position);
    if (count <= 0) {
      throw new IllegalStateException("the epoch has no more batches");
    }
    int[] examples = new int[count];
    int[] batchLabels = new int[count];
    for (int i = 0; i < count; i++) {
      examples[i] = order[position + i];
      batchLabels[i] = labels[examples[i]];
    }
    position += count;
    List<Tensor> views = new ArrayList<>();
    for (int o = 0; o < stored.size(); o++) {
      views.add(gather(o, examples));
    }
    return new Batch(TrunkFeatures.of(trunk, taps, views), examples, batchLabels);
  }

  private Tensor gather(int output, int[] examples) {
    MemorySegment from = stored.get(output).segment();
    Tensor to = gathered.get(output).slice(0, trunk.outputs().get(output).shape(examples.length));
    MemorySegment target = to.segment();
    long one = from.byteSize() / size();
    for (int i = 0; i < examples.length; i++) {
      MemorySegment.copy(from, examples[i] * one, target, i * one, one);
    }
    return to;
  }

  @Override
  public void close() {
    gathered.forEach(Tensor::close);
    gathered.clear();
    stored.clear();
    arena.close();
  }
}
