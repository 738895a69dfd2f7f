package dev.sidefade;

import dev.sidefade.kernels.Pooling;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The shipped backbone and digits, copied out of the class path for a test or a measurement. */
public final class DemoFiles {
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

  private final Path folder;

  DemoFiles(Path folder) throws IOException {
    this.folder = folder;
    unpack(folder);
  }

  /** Puts all that is shipped into a folder. */
  public static void unpack(Path folder) throws IOException {
    for (String name : NAMES) {
      try (InputStream in = DemoFiles.class.getResourceAsStream("/dev/sidefade/demo/" + name)) {
        if (in == null) {
          throw new IllegalStateException("the library has no " + name + "; build it again");
        }
        Files.copy(in, folder.resolve(name));
      }
    }
  }

  Path backbone() {
    return folder.resolve("vit28p7d128.onnx");
  }

  String images(String set) {
    return folder.resolve(set + "-images-idx3-ubyte.gz").toString();
  }

  /** Three short epochs on the frozen trunk: enough to learn most digits. */
  AdaptConfig.Builder config(Path out) {
    return AdaptConfig.builder()
        .backbone(backbone())
        .train(images("labelled"))
        .unlabelled(images("unlabelled"))
        .validation(images("val"))
        .test(images("test"))
        .out(out)
        .readout(Pooling.CLS_MEAN)
        .tune(Tune.FINAL_NORM)
        .klAuto(false)
        .measureUnlabelled(false)
        .epochs(3)
        .threads(2);
  }
}
