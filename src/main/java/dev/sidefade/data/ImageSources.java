package dev.sidefade.data;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Opens what a user names as a source of images. */
public final class ImageSources {
  private ImageSources() {}

  /**
   * How to open a source.
   *
   * @param strict refuse the source if an image cannot be decoded, instead of leaving that image
   *     out
   * @param classNames the classes, by label, where they are fixed already (validation and test take
   *     training's): folder names are looked up in them and labels must lie in their range; empty:
   *     the source decides
   */
  public record Options(boolean strict, Optional<List<String>> classNames) {
    /** Leaves out what cannot be decoded; the source decides the classes. */
    public static final Options DEFAULT = new Options(false, Optional.empty());

    /** Copies the names. */
    public Options {
      classNames = classNames.map(List::copyOf);
    }
  }

  /**
   * Opens one of
   *
   * <ul>
   *   <li>a folder with one sub-folder per class (labels follow the sorted names), PNG and JPEG
   *       files at any depth in it; a folder with images directly inside and no sub-folders has no
   *       labels;
   *   <li>an IDX images file ({@code x-images-idx3-ubyte} or {@code idx4}, gzip or not), its labels
   *       beside it by the usual name ({@code x-labels-idx1-ubyte}) or named after a comma: {@code
   *       IMAGES,LABELS};
   *   <li>a list file: {@code path label} on every line, paths relative to the folder of the list;
   *       blank lines and lines that begin with # are ignored, a line without a label stands for an
   *       unlabelled image.
   * </ul>
   *
   * Every image of a folder or list is decoded once here, so that those that cannot be are known
   * before training.
   *
   * @param source path of one of these
   * @param options what is refused, and known classes
   * @return the source, to be closed
   * @throws BadInputException if the source is missing, empty, malformed, or does not fit the
   *     options
   * @throws IOException if reading fails for another reason
   */
  public static ImageSource open(String source, Options options) throws IOException {
    Objects.requireNonNull(options, "options");
    try {
      return openPath(source, options);
    } catch (AccessDeniedException e) {
      throw new BadInputException(
          "data source " + source + " cannot be read: permission denied for " + e.getFile(), e);
    }
  }

  /**
   * {@return one image file, without a label}
   *
   * @param image the image file
   * @throws BadInputException if it is missing or cannot be decoded
   */
  public static ImageSource single(Path image) {
    requireFile(image);
    return FileImageSource.open(
        image.toString(), List.of(new FileImageSource.Item(image, -1)), List.of(), true);
  }

  private static ImageSource openPath(String source, Options options) throws IOException {
    if (source.isBlank()) {
      throw new BadInputException(
          "the data source is empty: give a folder, an IDX file or a list file");
    }
    Path path = path(source);
    if (Files.isDirectory(path)) {
      return ClassFolders.open(path, options);
    }
    if (Files.exists(path)) {
      requireFile(path);
      return IdxFile.looksLikeIdx(path)
          ? IdxSource.open(path, IdxFile.labelsBeside(path), options)
          : ListFile.open(path, options);
    }
    for (int comma = source.indexOf(','); comma >= 0; comma = source.indexOf(',', comma + 1)) {
      Path images = path(source.substring(0, comma).strip());
      if (Files.isRegularFile(images)) {
        Path labels = path(source.substring(comma + 1).strip());
        requireFile(labels);
        return IdxSource.open(images, Optional.of(labels), options);
      }
    }
    throw new BadInputException(
        "data source "
            + source
            + " does not exist: give a folder, an IDX images file or a list file");
  }

  private static Path path(String name) {
    try {
      return Path.of(name);
    } catch (InvalidPathException e) {
      throw new BadInputException(
          "data source '" + name + "' is not a valid path: " + e.getReason(), e);
    }
  }

  private static void requireFile(Path path) {
    if (!Files.isRegularFile(path)) {
      throw new BadInputException(
          "data source " + path + (Files.exists(path) ? " is not a file" : " does not exist"));
    }
  }
}
