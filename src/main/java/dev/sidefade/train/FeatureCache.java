package dev.sidefade.train;

import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Closer;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The trunk's outputs for all examples, computed once: the trunk does not change while the head,
 * the last norm and the side network learn. Kept in memory where it fits, in a mapped temporary
 * file otherwise. Padding is not kept.
 */
public final class FeatureCache implements FeatureFeed {
  /** Hears of progress. */
  @FunctionalInterface
  public interface Progress {
    /**
     * So many examples are done.
     *
     * @param done examples since the start
     */
    void examples(long done);
  }

  private final Closer own = new Closer();
  private final ExampleSet examples;
  private final FeatureSource source;
  private final int taps;
  private final Arena arena = own.add(Arena.ofShared());

  /** Where the rows of an example begin, in rows; its tokens follow. */
  private final long[] firstRow;

  /** One per output of the trunk: [rows, width], an output that is not per token one row each. */
  private final List<Tensor> stored = new ArrayList<>();

  private final List<Tensor> gathered = new ArrayList<>();

  /** [rows] of the largest batch; null where no example is padded. */
  private final @Nullable Tensor valid;

  private final long bytes;
  private final boolean mapped;

  @SuppressWarnings("NullAway.Init")
  private int[] order;

  private int rows;
  private int position;

  /**
   * Runs the trunk over all examples of {@code live}.
   *
   * @param live computes the features
   * @param taps number of taps that are kept
   * @param batch largest batch that will be asked for
   * @param device where tensors live and what computes
   * @param memoryLimit bytes above which the cache goes to a file in {@code folder}
   * @param folder for the temporary file
   * @param progress hears of examples
   * @return the features, to be closed
   * @throws IOException if the temporary file cannot be made
   */
  public static FeatureCache fill(
      LiveFeatures live,
      int taps,
      int batch,
      Device device,
      long memoryLimit,
      Path folder,
      Progress progress)
      throws IOException {
    if (live.source().onDevice()) {
      throw new IllegalArgumentException("a cache is in host memory, but the features are not");
    }
    FeatureCache cache = new FeatureCache(live, taps, batch, device, memoryLimit, folder);
    try {
      cache.fillFrom(live, batch, progress);
      return cache;
    } catch (RuntimeException | Error e) {
      cache.own.closeAfter(e);
      throw e;
    }
  }

  private FeatureCache(
      LiveFeatures live, int taps, int batch, Device device, long memoryLimit, Path folder)
      throws IOException {
    this.examples = live.examples();
    this.source = live.source();
    this.taps = taps;
    firstRow = new long[size() + 1];
    for (int i = 0; i < size(); i++) {
      firstRow[i + 1] = firstRow[i] + tokens(i);
    }
    long total = 0;
    for (TrunkOutput output : source.outputs()) {
      total = Math.addExact(total, shape(output).size() * 4);
    }
    bytes = total;
    mapped = total > memoryLimit;
    long at = 0;
    int longest = examples.paddedTokens(examples.longest());
    try {
      MemorySegment memory = mapped ? mapFile(folder, total) : arena.allocate(total, 64);
      for (TrunkOutput output : source.outputs()) {
        Shape shape = shape(output);
        stored.add(Tensor.wrap(memory.asSlice(at, shape.size() * 4), shape, DType.F32));
        Shape largest = Shape.of(output.shape(batch, longest));
        gathered.add(own.add(device.allocateHost(DType.F32, largest)));
        at += shape.size() * 4;
      }
      long flags = Math.multiplyExact((long) batch, longest);
      valid = flags == 0 ? null : own.add(device.allocateHost(DType.F32, Shape.of(flags)));
    } catch (RuntimeException | Error | IOException e) {
      own.closeAfter(e);
      throw e;
    }
  }

  /** Rows of an example: its own tokens, or those that the backbone makes of every one. */
  private long tokens(int example) {
    int own = examples.tokens(example);
    return own > 0
        ? own
        : source.outputs().stream()
            .filter(TrunkOutput::perToken)
            .mapToLong(TrunkOutput::tokens)
            .findFirst()
            .orElse(1);
  }

  private Shape shape(TrunkOutput output) {
    return Shape.of(output.perToken() ? firstRow[size()] : size(), output.width());
  }

  /**
   * The file is deleted at once and lives as long as the mapping: a killed run leaves nothing
   * behind.
   */
  private MemorySegment mapFile(Path folder, long size) throws IOException {
    Path file = Files.createTempFile(folder, ".features", ".bin");
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      reserve(channel, size);
      return channel.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  /**
   * Writes zeros: that a disk is full must be an error here, since a mapping that has no room
   * behind it ends in a fault when it is written.
   */
  private static void reserve(FileChannel channel, long size) throws IOException {
    ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(size, 1 << 20));
    for (long at = 0; at < size; ) {
      zeros.clear().limit((int) Math.min(zeros.capacity(), size - at));
      at += channel.write(zeros, at);
    }
  }

  private void fillFrom(LiveFeatures live, int batch, Progress progress) {
    int[] walk = examples.walk();
    live.start(0, walk, batch);
    int done = 0;
    while (done < walk.length) {
      Batch computed = live.next();
      List<Tensor> outputs = live.outputs(computed.size(), computed.features().tokens());
      for (int o = 0; o < outputs.size(); o++) {
        for (int i = 0; i < computed.size(); i++) {
          put(o, computed.examples()[i], outputs.get(o), i);
        }
      }
      done += computed.size();
      progress.examples(done);
    }
  }

  private void put(int output, int example, Tensor computed, int row) {
    MemorySegment all = stored.get(output).segment();
    MemorySegment batch = computed.segment();
    long one = batch.byteSize() / computed.dim(0);
    MemorySegment.copy(batch, row * one, all, offset(output, example), bytesOf(output, example));
  }

  private boolean perToken(int output) {
    return source.outputs().get(output).perToken();
  }

  private long offset(int output, int example) {
    long row = perToken(output) ? firstRow[example] : example;
    return row * stored.get(output).dim(1) * Float.BYTES;
  }

  private long bytesOf(int output, int example) {
    long rows = perToken(output) ? firstRow[example + 1] - firstRow[example] : 1;
    return rows * stored.get(output).dim(1) * Float.BYTES;
  }

  /** {@return bytes of all features} */
  public long bytes() {
    return bytes;
  }

  /** {@return whether they are in a mapped file rather than in memory} */
  public boolean mapped() {
    return mapped;
  }

  @Override
  public int size() {
    return examples.size();
  }

  @Override
  public int[] walk() {
    return examples.walk();
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
    int[] batch = Arrays.copyOfRange(order, position, position + count);
    position += count;
    int tokens = examples.paddedTokens(Arrays.stream(batch).map(examples::tokens).max().orElse(0));
    List<Tensor> views = new ArrayList<>();
    for (int o = 0; o < stored.size(); o++) {
      views.add(gather(o, batch, tokens));
    }
    TrunkFeatures features = TrunkFeatures.of(source, taps, views, valid(batch, tokens));
    return new Batch(features, batch, examples.targets(batch, tokens));
  }

  private Tensor gather(int output, int[] batch, int tokens) {
    MemorySegment from = stored.get(output).segment();
    long[] dims = source.outputs().get(output).shape(batch.length, tokens);
    Tensor to = gathered.get(output).slice(0, dims);
    MemorySegment target = to.segment();
    long one = target.byteSize() / batch.length;
    for (int i = 0; i < batch.length; i++) {
      long used = bytesOf(output, batch[i]);
      MemorySegment.copy(from, offset(output, batch[i]), target, i * one, used);
      if (used < one) {
        target.asSlice(i * one + used, one - used).fill((byte) 0);
      }
    }
    return to;
  }

  /** [examples * tokens]; null where no example is padded. */
  private @Nullable Tensor valid(int[] batch, int tokens) {
    if (valid == null) {
      return null;
    }
    Tensor mask = valid.slice(0, (long) batch.length * tokens);
    for (int i = 0; i < batch.length; i++) {
      int own = examples.tokens(batch[i]);
      for (int t = 0; t < tokens; t++) {
        mask.set((long) i * tokens + t, t < own ? 1 : 0);
      }
    }
    return mask;
  }

  @Override
  public void close() {
    own.close();
  }
}
