package dev.sidefade.soak;

import dev.sidefade.AdaptConfig;
import dev.sidefade.DemoFiles;
import dev.sidefade.fuzz.ScratchFolder;
import dev.sidefade.kernels.Pooling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The backbone and the digits that the library ships, in a folder. */
record DemoData(Path folder) {
  static DemoData unpack(Path folder) throws IOException {
    Files.createDirectories(folder);
    DemoFiles.unpack(folder);
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
    if (Files.exists(folder)) {
      new ScratchFolder(folder).close();
    }
  }
}
