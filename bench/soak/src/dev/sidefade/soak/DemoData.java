package dev.sidefade.soak;

import dev.sidefade.AdaptConfig;
import dev.sidefade.Sidefade;
import dev.sidefade.kernels.Pooling;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;

/** The backbone and the digits that the library ships, in a folder. */
record DemoData(Path folder) {
  private static final String[] NAMES = {
    "vit28p7d128.onnx",
    "vit28p7d128.json",
    "labelled-images-idx3-ubyte.gz",
    "labelled-labels-idx1-ubyte.gz",
    "unlabelled-images-idx3-ubyte.gz",
    "val-images-idx3-ubyte.gz",
    "val-labels-idx1-ubyte.gz",
    "test-images-idx3-ubyte.gz",
    "test-labels-idx1-ubyte.gz"
  };

  static DemoData unpack(Path folder) throws IOException {
    Files.createDirectories(folder);
    for (String name : NAMES) {
      try (InputStream in = Sidefade.class.getResourceAsStream("/dev/sidefade/demo/" + name)) {
        if (in == null) {
          throw new IllegalStateException("the library has no " + name + "; build it again");
        }
        Files.copy(in, folder.resolve(name));
      }
    }
    return new DemoData(folder);
  }

  Path backbone() {
    return folder.resolve("vit28p7d128.onnx");
  }

  String images(String set) {
    return folder.resolve(set + "-images-idx3-ubyte.gz").toString();
  }

  /** The shipped backbone on the labelled digits. */
  AdaptConfig.Builder config(Path out, int threads) {
    return AdaptConfig.builder()
        .backbone(backbone())
        .train(images("labelled"))
        .validation(images("val"))
        .out(out)
        .readout(Pooling.CLS_MEAN)
        .device("cpu")
        .threads(threads);
  }

  /** Deletes a folder with all that is in it. */
  static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, IOException failure)
              throws IOException {
            Files.delete(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
