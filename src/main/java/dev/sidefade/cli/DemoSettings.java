package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import dev.sidefade.Tune;
import dev.sidefade.distill.Direction;
import dev.sidefade.kernels.Pooling;
import java.nio.file.Path;
import java.util.List;

/** What {@code sidefade demo} runs: the one place where its settings stand. */
final class DemoSettings {
  /** Class-path folder of what the demo ships. */
  static final String RESOURCES = "/dev/sidefade/demo/";

  /** The backbone. */
  static final String BACKBONE = "vit28p7d128.onnx";

  /** Everything that the demo ships: a backbone that never saw a digit, and handwritten digits. */
  static final List<String> FILES =
      List.of(
          BACKBONE,
          "vit28p7d128.json",
          "labelled-images-idx3-ubyte.gz",
          "labelled-labels-idx1-ubyte.gz",
          "unlabelled-images-idx3-ubyte.gz",
          "val-images-idx3-ubyte.gz",
          "val-labels-idx1-ubyte.gz",
          "test-images-idx3-ubyte.gz",
          "test-labels-idx1-ubyte.gz");

  /** Of the changes of the weights: what the library does without being told. */
  private static final int RANK = 4;

  private DemoSettings() {}

  /**
   * The adaptation of the demo: the library's default recipe on both read-outs, with the rows
   * without labels taught by the side network.
   *
   * @param data folder of {@link #FILES}
   * @param out folder of the results
   */
  static AdaptConfig config(Path data, Path out, long seed, int threads) {
    return AdaptConfig.builder()
        .backbone(data.resolve(BACKBONE))
        .train(data.resolve("labelled-images-idx3-ubyte.gz").toString())
        .unlabelled(data.resolve("unlabelled-images-idx3-ubyte.gz").toString())
        .validation(data.resolve("val-images-idx3-ubyte.gz").toString())
        .test(data.resolve("test-images-idx3-ubyte.gz").toString())
        .out(out)
        .tune(Tune.lowRank(RANK))
        .readout(Pooling.CLS_MEAN)
        .logits(Direction.SIDE_TO_BACKBONE)
        .device("cpu")
        .seed(seed)
        .threads(threads)
        .build();
  }
}
