package dev.sidefade.train;

import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSpec;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Labelled images followed by unlabelled ones, as one source.
 *
 * @param labelled its labels count
 * @param unlabelled its labels are not looked at; null when there is none
 */
public record ImageSet(ImageSource labelled, @Nullable ImageSource unlabelled)
    implements ImageSource {
  @Override
  public int size() {
    return labelled.size() + (unlabelled == null ? 0 : unlabelled.size());
  }

  @Override
  public int label(int i) {
    return i < labelled.size() ? labelled.label(i) : -1;
  }

  @Override
  public List<String> classNames() {
    return labelled.classNames();
  }

  @Override
  public String name(int i) {
    return i < labelled.size() ? labelled.name(i) : more().name(i - labelled.size());
  }

  @Override
  public void decode(int i, ImageSpec spec, float[] out, int offset) {
    if (i < labelled.size()) {
      labelled.decode(i, spec, out, offset);
    } else {
      more().decode(i - labelled.size(), spec, out, offset);
    }
  }

  @Override
  public int skipped() {
    return labelled.skipped() + (unlabelled == null ? 0 : unlabelled.skipped());
  }

  @Override
  public List<String> skippedReasons() {
    return labelled.skippedReasons();
  }

  @Override
  public void close() {
    labelled.close();
    if (unlabelled != null) {
      unlabelled.close();
    }
  }

  private ImageSource more() {
    return Objects.requireNonNull(unlabelled, "there are no unlabelled images");
  }
}
