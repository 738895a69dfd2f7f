package dev.sidefade;

import dev.sidefade.kernels.Pooling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Adaptations for tests of other packages. */
public final class QuickRuns {
  private QuickRuns() {}

  /** As {@link Sidefade#adapt}, without measuring latencies, which takes seconds. */
  public static AdaptResult adapt(AdaptConfig config, ProgressListener progress)
      throws IOException {
    return Sidefade.adapt(config, progress, Duration.ZERO);
  }

  /** The same without a word. */
  static AdaptResult quick(AdaptConfig.Builder config) throws IOException {
    return adapt(config.build(), ProgressListener.SILENT);
  }

  /** The bytes of what ships. */
  static byte[] model(AdaptResult result) throws IOException {
    return Files.readAllBytes(result.model().orElseThrow());
  }

  /**
   * Texts of a class each on a small backbone, which teaches itself, beside a side network; words
   * are hidden from it.
   */
  public static AdaptConfig.Builder texts(Path folder, String device) throws IOException {
    TextFiles files = new TextFiles(Files.createDirectory(folder.resolve("data")));
    return files
        .config(TaskKind.TEXT, "minilm_legacy11", files.sentiments(60, 30), folder.resolve("out"))
        .unlabelled(files.unlabelled(40).toString())
        .measureUnlabelled(false)
        .sideWidth(8)
        .teacher(TeacherKind.SELF)
        .tokenDropout(0.2)
        .epochs(2)
        .device(device);
  }

  /** The shipped backbone and its labelled digits, one epoch with a narrow side network. */
  public static AdaptConfig.Builder digits(Path folder, String device) throws IOException {
    DemoFiles demo = new DemoFiles(Files.createDirectory(folder.resolve("data")));
    return AdaptConfig.builder()
        .backbone(demo.backbone())
        .train(demo.images("labelled"))
        .validation(demo.images("val"))
        .out(folder.resolve("out"))
        .readout(Pooling.CLS_MEAN)
        .side(SideKind.ADAPTER)
        .sideWidth(8)
        .epochs(1)
        .batch(32)
        .threads(2)
        .device(device);
  }
}
