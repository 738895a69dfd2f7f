package dev.sidefade.backbone;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.ort.SharedArena;

/**
 * Opens the sessions of one {@link TunedTrunk}. They run one after another and share an arena where
 * there can be one: see {@link SharedArena}.
 */
final class GradientSessions implements AutoCloseable {
  private final int threads;
  private final SharedArena arena = SharedArena.open();

  /**
   * For one trunk.
   *
   * @param threads threads that compute one operator; 0 leaves the choice to ONNX Runtime
   */
  GradientSessions(int threads) {
    this.threads = threads;
  }

  /** A session that runs by itself, to be closed by the caller. */
  OrtSession open(OnnxModel model) {
    return open(model, !arena.isPresent());
  }

  /**
   * One of many sessions: an arena of each would hold on to the memory that the next one could use.
   */
  OrtSession openOneOfMany(OnnxModel model) {
    return open(model, false);
  }

  private OrtSession open(OnnxModel model, boolean arenaOfItsOwn) {
    try (OrtSession.SessionOptions options = Sessions.options(threads)) {
      // fused with the addition in front of it, a norm silently returns no mean and deviation
      options.addConfigEntry("optimization.disable_specified_optimizers", "SkipLayerNormFusion");
      options.setCPUArenaAllocator(arenaOfItsOwn);
      arena.useIn(options);
      return Sessions.open(model, options);
    } catch (OrtException e) {
      throw new IllegalStateException("ONNX Runtime refuses its options: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
