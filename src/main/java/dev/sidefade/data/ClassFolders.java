package dev.sidefade.data;

import dev.sidefade.data.FileImageSource.Item;
import dev.sidefade.tensor.BadInputException;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A folder with a sub-folder for each class. Classes are sorted by name, the images of a class by
 * path, so that the order does not depend on the file system. Names that begin with a dot are
 * ignored, as are files that are not PNG or JPEG by their extension; symbolic links are followed.
 */
final class ClassFolders {
  private ClassFolders() {}

  static ImageSource open(Path root, ImageSources.Options options) throws IOException {
    List<Path> folders = new ArrayList<>();
    List<Path> images = new ArrayList<>();
    try (Stream<Path> children = Files.list(root)) {
      children
          .filter(ClassFolders::isVisible)
          .sorted(byName())
          .forEach(p -> {
            if (Files.isDirectory(p)) {
              folders.add(p);
            } else if (isImage(p)) {
              images.add(p);
            }
          });
    }
    if (folders.isEmpty()) {
      return unlabelled(root, images, options);
    }
    if (!images.isEmpty()) {
      throw new BadInputException(
          "folder "
              + root
              + " holds both images (such as "
              + images.get(0).getFileName()
              + ") and class folders (such as "
              + folders.get(0).getFileName()
              + "): move every image into the folder of its class");
    }
    return labelled(root, folders, options);
  }

  private static ImageSource unlabelled(
      Path root, List<Path> images, ImageSources.Options options) {
    if (images.isEmpty()) {
      throw new BadInputException(
          "folder "
              + root
              + " holds neither class folders nor images: expected a folder per class with PNG or"
              + " JPEG images, or such images themselves");
    }
    List<Item> items = images.stream().map(p -> new Item(p, -1)).toList();
    List<String> names = options.classNames().orElse(List.of());
    return FileImageSource.open("folder " + root, items, names, options.strict());
  }

  private static ImageSource labelled(Path root, List<Path> folders, ImageSources.Options options)
      throws IOException {
    List<String> names =
        options.classNames().orElseGet(() -> folders.stream().map(ClassFolders::nameOf).toList());
    List<Item> items = new ArrayList<>();
    for (Path folder : folders) {
      int label = names.indexOf(nameOf(folder));
      if (label < 0) {
        throw new BadInputException(
            "folder "
                + root
                + " holds a class "
                + nameOf(folder)
                + " that is none of the "
                + names.size()
                + " classes of training ("
                + summary(names)
                + ")");
      }
      List<Path> images = imagesUnder(folder);
      if (images.isEmpty()) {
        throw new BadInputException(
            "class "
                + nameOf(folder)
                + " of folder "
                + root
                + " has no image: expected at least one PNG or JPEG file in "
                + folder);
      }
      images.forEach(p -> items.add(new Item(p, label)));
    }
    FileImageSource source = FileImageSource.open("folder " + root, items, names, options.strict());
    requireEveryClass(source, folders, names);
    return source;
  }

  /** A class may have lost all its images by decoding. */
  private static void requireEveryClass(
      FileImageSource source, List<Path> folders, List<String> names) {
    boolean[] seen = new boolean[names.size()];
    for (int i = 0; i < source.size(); i++) {
      seen[source.label(i)] = true;
    }
    for (Path folder : folders) {
      if (!seen[names.indexOf(nameOf(folder))]) {
        String first =
            source.skippedReasons().stream()
                .filter(r -> r.startsWith(folder + File.separator))
                .findFirst()
                .orElse("unknown reason");
        throw new BadInputException(
            "class "
                + nameOf(folder)
                + " has no image that can be read, the first failing being "
                + first);
      }
    }
  }

  private static List<Path> imagesUnder(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
      return files
          .filter(p -> isImage(p) && !Files.isDirectory(p) && isVisibleBelow(folder, p))
          .sorted(Comparator.comparing(p -> folder.relativize(p).toString().replace('\\', '/')))
          .toList();
    } catch (UncheckedIOException e) {
      if (e.getCause() instanceof FileSystemLoopException loop) {
        throw new BadInputException(
            "class folder "
                + folder
                + " holds a symbolic link to a folder around it: "
                + loop.getFile(),
            e);
      }
      throw e.getCause();
    }
  }

  private static Comparator<Path> byName() {
    return Comparator.comparing(ClassFolders::nameOf);
  }

  private static String nameOf(Path p) {
    return Optional.ofNullable(p.getFileName()).orElse(p).toString();
  }

  private static boolean isVisible(Path p) {
    return !nameOf(p).startsWith(".");
  }

  private static boolean isVisibleBelow(Path folder, Path p) {
    for (Path part : folder.relativize(p)) {
      if (!isVisible(part)) {
        return false;
      }
    }
    return true;
  }

  static boolean isImage(Path p) {
    return hasImageExtension(nameOf(p));
  }

  static boolean hasImageExtension(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.endsWith(".png") || lower.endsWith(".jpg") || lower.endsWith(".jpeg");
  }

  private static String summary(List<String> names) {
    String first = String.join(", ", names.subList(0, Math.min(5, names.size())));
    return names.size() > 5 ? first + ", ..." : first;
  }
}
