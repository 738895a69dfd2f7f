package dev.sidefade.data;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/** Images of one IDX file: [n, height, width] grey, or [n, height, width, 1 or 3]. */
final class IdxSource implements ImageSource {
  private final Arena arena;
  private final Path path;
  private final IdxFile images;
  private final Optional<MemorySegment> labels;
  private final List<String> classNames;

  private IdxSource(
      Arena arena,
      Path path,
      IdxFile images,
      Optional<MemorySegment> labels,
      List<String> classNames) {
    this.arena = arena;
    this.path = path;
    this.images = images;
    this.labels = labels;
    this.classNames = classNames;
  }

  static IdxSource open(Path path, Optional<Path> labelsPath, ImageSources.Options options)
      throws IOException {
    Arena arena = Arena.ofShared();
    try {
      IdxFile images = IdxFile.read(path, arena, 3, 4);
      requireImages(path, images.dims());
      int classes = 0;
      Optional<MemorySegment> labels = Optional.empty();
      if (labelsPath.isPresent()) {
        IdxFile file = IdxFile.read(labelsPath.get(), arena, 1);
        classes = requireLabels(labelsPath.get(), file, images.dims()[0], options);
        labels = Optional.of(file.data());
      }
      List<String> names = options.classNames().orElse(numbered(classes));
      return new IdxSource(arena, path, images, labels, names);
    } catch (IOException | RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /** Names "0" to n-1. */
  static List<String> numbered(int n) {
    return IntStream.range(0, n).mapToObj(Integer::toString).toList();
  }

  private static void requireImages(Path path, int... dims) {
    if (dims.length == 4 && dims[3] != 1 && dims[3] != 3) {
      throw new BadInputException(
          "IDX file "
              + path
              + " has a last dimension of "
              + dims[3]
              + ": expected images x rows x columns x channels, with 1 or 3 channels");
    }
    boolean tooLong = dims[1] > ImageDecoder.MAX_SIDE || dims[2] > ImageDecoder.MAX_SIDE;
    if (tooLong || (long) dims[1] * dims[2] > ImageDecoder.MAX_PIXELS) {
      throw new BadInputException(
          "IDX file "
              + path
              + " has images of "
              + dims[1]
              + "x"
              + dims[2]
              + ": at most "
              + ImageDecoder.MAX_PIXELS
              + " pixels with no side over "
              + ImageDecoder.MAX_SIDE
              + " are taken");
    }
  }

  /** The number of classes: one more than the largest label. */
  private static int requireLabels(
      Path path, IdxFile labels, int images, ImageSources.Options options) {
    if (labels.dims()[0] != images) {
      throw new BadInputException(
          "labels file "
              + path
              + " has "
              + labels.dims()[0]
              + " labels for "
              + images
              + " images: expected one for each");
    }
    int largest = 0;
    for (int i = 0; i < images; i++) {
      int label = labels.data().get(ValueLayout.JAVA_BYTE, i) & 0xFF;
      largest = Math.max(largest, label);
      if (options.classNames().isPresent() && label >= options.classNames().get().size()) {
        throw new BadInputException(
            "label "
                + i
                + " of "
                + path
                + " is "
                + label
                + ", out of range: expected 0 to "
                + (options.classNames().get().size() - 1));
      }
    }
    return largest + 1;
  }

  @Override
  public int size() {
    return images.dims()[0];
  }

  @Override
  public int label(int i) {
    int index = Objects.checkIndex(i, size());
    return labels.map(l -> l.get(ValueLayout.JAVA_BYTE, index) & 0xFF).orElse(-1);
  }

  @Override
  public List<String> classNames() {
    return classNames;
  }

  @Override
  public String name(int i) {
    return path + "#" + i;
  }

  @Override
  public void decode(int i, ImageSpec spec, float[] out, int offset) {
    int height = images.dims()[1];
    int width = images.dims()[2];
    int channels = images.dims().length == 4 ? images.dims()[3] : 1;
    int bytes = height * width * channels;
    byte[] pixels = new byte[bytes];
    long from = (long) Objects.checkIndex(i, size()) * bytes;
    MemorySegment.copy(images.data(), ValueLayout.JAVA_BYTE, from, pixels, 0, bytes);
    Resize.prepare(new Pixels(width, height, channels, pixels), spec)
        .normaliseInto(spec, out, offset);
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
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
