package dev.sidefade.train;

import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSpec;
import java.util.List;

/** Some images of a source; closing it leaves the source open. */
public final class ImageSubset implements ImageSource {
  private final ImageSource source;
  private final int[] indices;

  /**
   * The images of these numbers, in this order.
   *
   * @param source the images that are chosen from
   * @param indices numbers of the images, from 0
   */
  public ImageSubset(ImageSource source, int[] indices) {
    this.source = source;
    this.indices = indices.clone();
  }

  @Override
  public int size() {
    return indices.length;
  }

  @Override
  public int label(int i) {
    return source.label(indices[i]);
  }

  @Override
  public List<String> classNames() {
    return source.classNames();
  }

  @Override
  public String name(int i) {
    return source.name(indices[i]);
  }

  @Override
  public void decode(int i, ImageSpec spec, float[] out, int offset) {
    source.decode(indices[i], spec, out, offset);
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
