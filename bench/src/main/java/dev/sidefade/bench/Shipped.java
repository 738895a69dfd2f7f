package dev.sidefade.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What the library's demo ships, as files. */
final class Shipped {
  static final String BACKBONE = "vit28p7d128.onnx";
  private static final String FOLDER = "/dev/sidefade/demo/";

  private Shipped() {}

  /** The backbone with the file beside it that names its taps. */
  static Path backbone(Path folder) throws IOException {
    copy("vit28p7d128.json", folder.resolve("vit28p7d128.json"));
    return copy(BACKBONE, folder.resolve(BACKBONE));
  }

  /** The images of a set with their labels, where it has some. */
  static Path images(String set, Path folder) throws IOException {
    if (!set.equals("unlabelled")) {
      copy(set + "-labels-idx1-ubyte.gz", folder.resolve(set + "-labels-idx1-ubyte.gz"));
    }
    String name = set + "-images-idx3-ubyte.gz";
    return copy(name, folder.resolve(name));
  }

  static Path copy(String resource, Path file) throws IOException {
    try (InputStream in = Shipped.class.getResourceAsStream(FOLDER + resource)) {
      if (in == null) {
        throw new IllegalStateException("the library has no " + resource + "; build it again");
      }
      Files.copy(in, file);
      return file;
    }
  }

  /** Deletes a folder with all that is in it. */
  static void delete(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> inside = Files.walk(folder)) {
      files = inside.sorted(java.util.Comparator.reverseOrder()).toList();
    }
    for (Path file : files) {
      Files.delete(file);
    }
  }
}
