package dev.sidefade.data;

import dev.sidefade.tensor.BadInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Images in files of their own: of a class-folder tree or of a list. */
final class FileImageSource implements ImageSource {
  /** A file and its label, -1 for none. */
  record Item(Path path, int label) {}

  private final List<Item> items;
  private final List<String> classNames;
  private final List<String> skippedReasons;
  private final ImageDecoder decoder;
  private final PixelCache cache;

  private FileImageSource(
      List<Item> items,
      List<String> classNames,
      List<String> skippedReasons,
      ImageDecoder decoder,
      PixelCache cache) {
    this.items = items;
    this.classNames = classNames;
    this.skippedReasons = skippedReasons;
    this.decoder = decoder;
    this.cache = cache;
  }

  /**
   * Decodes every file once and keeps those that can be.
   *
   * @throws BadInputException if strict and a file cannot be decoded, or if none can be
   */
  static FileImageSource open(
      String source, List<Item> candidates, List<String> classNames, boolean strict) {
    ImageDecoder decoder = new ImageDecoder();
    PixelCache cache = new PixelCache(candidates.size());
    List<Optional<UnreadableImageException>> checked = check(candidates, decoder, cache);
    List<Item> readable = new ArrayList<>();
    List<String> reasons = new ArrayList<>();
    PixelCache kept = new PixelCache((int) checked.stream().filter(Optional::isEmpty).count());
    for (int i = 0; i < candidates.size(); i++) {
      if (checked.get(i).isPresent()) {
        reasons.add(candidates.get(i).path() + ": " + checked.get(i).get().reason());
      } else {
        int index = readable.size();
        cache.decoded(i).ifPresent(p -> kept.putDecoded(index, p));
        readable.add(candidates.get(i));
      }
    }
    if (!reasons.isEmpty() && (strict || readable.isEmpty())) {
      throw new BadInputException(
          reasons.size()
              + " of "
              + candidates.size()
              + " images of "
              + source
              + " cannot be read, the first being "
              + reasons.get(0));
    }
    return new FileImageSource(
        List.copyOf(readable), List.copyOf(classNames), List.copyOf(reasons), decoder, kept);
  }

  /** For each file what is wrong with it, if anything; what could be decoded is in the cache. */
  private static List<Optional<UnreadableImageException>> check(
      List<Item> items, ImageDecoder decoder, PixelCache cache) {
    return IntStream.range(0, items.size())
        .parallel()
        .mapToObj(i -> {
          try {
            cache.putDecoded(i, decoder.decode(items.get(i).path()));
            return Optional.<UnreadableImageException>empty();
          } catch (UnreadableImageException e) {
            return Optional.of(e);
          }
        })
        .toList();
  }

  @Override
  public int size() {
    return items.size();
  }

  @Override
  public int label(int i) {
    return items.get(i).label();
  }

  @Override
  public List<String> classNames() {
    return classNames;
  }

  @Override
  public String name(int i) {
    return items.get(i).path().toString();
  }

  @Override
  public void decode(int i, ImageSpec spec, float[] out, int offset) {
    Optional<Pixels> kept = cache.prepared(i, spec);
    if (kept.isPresent()) {
      kept.get().normaliseInto(spec, out, offset);
      return;
    }
    Pixels decoded = cache.decoded(i).orElseGet(() -> decoder.decode(items.get(i).path()));
    Pixels prepared = Resize.prepare(decoded, spec);
    cache.putPrepared(i, spec, prepared);
    prepared.normaliseInto(spec, out, offset);
  }

  @Override
  public int skipped() {
    return skippedReasons.size();
  }

  @Override
  public List<String> skippedReasons() {
    return skippedReasons;
  }

  @Override
  public void close() {}
}
