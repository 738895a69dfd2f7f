package dev.sidefade.backbone;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.ort.BoundMemory;
import dev.sidefade.ort.BoundSession;
import dev.sidefade.ort.BoundType;
import dev.sidefade.ort.OrtFailure;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A {@link Trunk} whose inputs and outputs are bound to memory through ONNX Runtime's C API: with a
 * CUDA provider, outputs are written to tensors on the GPU, where they stay. On the host it
 * computes the same bits as a {@code Trunk}. Unlike that one it is used by one thread at a time.
 *
 * <pre>{@code
 * TapMemory memory = device.queue().<TapMemory>map(TapMemory.Cuda::new).orElse(new TapMemory.Host());
 * if (memory.unavailable().isEmpty()) {
 *   try (BoundTrunk trunk = BoundTrunk.open(backbone, TrunkSpec.of(2, List.of(0, 6, 12)), memory)) {
 *     trunk.run(Map.of("pixel_values", images), batch, taps); // taps: tensors of the device
 *   }
 * }
 * }</pre>
 */
public final class BoundTrunk implements AutoCloseable {
  private final BoundSession session;
  private final CutModel cut;
  private final Map<String, Shape> constants;
  private final TapMemory memory;
  private boolean closed;

  private BoundTrunk(BoundSession session, CutModel cut, TapMemory memory) {
    this.session = session;
    this.cut = cut;
    this.memory = memory;
    constants = cut.constantShapes();
  }

  /**
   * As {@link #open(OnnxModel, BackboneStructure, TrunkSpec, TapMemory)}; the caller closes it.
   *
   * @param backbone the pretrained model
   * @param spec what comes out
   * @param memory where it computes
   * @return the trunk
   */
  public static BoundTrunk open(Backbone backbone, TrunkSpec spec, TapMemory memory) {
    return open(backbone.model(), backbone.structure(), spec, memory);
  }

  /**
   * Opens a session; the model is left as it is.
   *
   * @param model the pretrained model
   * @param structure of the model
   * @param spec what comes out
   * @param memory where it computes
   * @return the trunk
   * @throws BadInputException if ONNX Runtime does not take the model, a tap or constant does not
   *     exist, or logits are asked of a model without head
   * @throws IllegalStateException if no trunk can be bound to this memory here, with the reason of
   *     {@link TapMemory#unavailable}, or ONNX Runtime cannot run the model on the GPU
   */
  public static BoundTrunk open(
      OnnxModel model, BackboneStructure structure, TrunkSpec spec, TapMemory memory) {
    Optional<String> reason = memory.unavailable();
    if (reason.isPresent()) {
      throw new IllegalStateException("the taps cannot be bound: " + reason.get());
    }
    CutModel cut = CutModel.of(model, structure, spec);
    BoundMemory bound =
        switch (memory) {
          case TapMemory.Host host -> new BoundMemory.Host();
          case TapMemory.Cuda cuda ->
              new BoundMemory.Cuda(cuda.queue().ordinal(), cuda.queue().stream());
        };
    try {
      return new BoundTrunk(Sessions.openBound(cut.model(), spec.threads(), bound), cut, memory);
    } catch (OrtFailure e) {
      if (memory instanceof TapMemory.Cuda) {
        // a model that is bad is bad on the CPU too
        throw new IllegalStateException(
            "ONNX Runtime cannot run the model on the GPU: " + e.reason(), e);
      }
      throw new BadInputException(
          "ONNX Runtime cannot run the model: " + e.reason() + "; export the model again", e);
    }
  }

  /** {@return where it computes} */
  public TapMemory memory() {
    return memory;
  }

  /** {@return what comes out, in the order of the tensors that {@link #run} fills} */
  public List<TrunkOutput> outputs() {
    return cut.outputs();
  }

  /** {@return which output enters the final norm; the last tap where there is no final norm} */
  public int finalInput() {
    return cut.finalInput();
  }

  /**
   * {@return the constants that must be fed with every run, under the names of their inputs, with
   * their present values}
   */
  public Map<String, Initializer> constants() {
    return cut.constants();
  }

  /**
   * Computes one batch. On a GPU it is enqueued on the stream: what is enqueued there from now on
   * sees the results, the host after {@link #synchronize}.
   *
   * @param feeds tensors on the host or, with {@link TapMemory.Cuda}, on that GPU: one for each
   *     input of the model, [batch, ...], and one for each tuned constant. Host tensors may be
   *     written again when this returns, device tensors by what is enqueued behind
   * @param batch number of examples
   * @param results tensors in the order of {@link #outputs}, on the host or, with {@link
   *     TapMemory.Cuda}, on that GPU, float32, of the shapes of {@link TrunkOutput#shape}; they are
   *     overwritten and must not overlap. On the host they hold the results when this returns
   * @throws IllegalArgumentException if a tensor is missing, has another type or shape, or lies
   *     where it cannot be bound
   * @throws IllegalStateException if the trunk is closed, or ONNX Runtime fails
   */
  public void run(Map<String, Tensor> feeds, long batch, List<Tensor> results) {
    requireOpen();
    RunChecks.feeds(cut.inputs(), constants, feeds, batch);
    RunChecks.results(cut.outputs(), results, batch);
    try {
      feeds.forEach((name, tensor) ->
          session.bindInput(
              name, tensor.address(), dims(tensor), type(name, tensor), onHost(name, tensor)));
      boolean read = false;
      for (int i = 0; i < results.size(); i++) {
        Tensor result = results.get(i);
        String name = cut.outputs().get(i).value();
        boolean onHost = onHost(name, result);
        session.bindOutput(name, result.address(), dims(result), BoundType.FLOAT, onHost);
        read |= onHost;
      }
      session.run();
      if (read && memory instanceof TapMemory.Cuda) {
        session.synchronize();
      }
    } catch (OrtFailure e) {
      throw new IllegalStateException(
          "the backbone failed on a batch of " + batch + ": " + e.reason(), e);
    }
  }

  private static long[] dims(Tensor tensor) {
    return tensor.shape().toArray();
  }

  private static BoundType type(String name, Tensor tensor) {
    return switch (tensor.dtype()) {
      case DType.F32 -> BoundType.FLOAT;
      case DType.I64 -> BoundType.INT64;
      case DType.I32 -> BoundType.INT32;
      default ->
          throw new IllegalArgumentException(
              name + " holds " + tensor.dtype() + ", but a backbone takes F32, I64 or I32");
    };
  }

  private boolean onHost(String name, Tensor tensor) {
    if (!tensor.onHost() && memory instanceof TapMemory.Host) {
      throw new IllegalArgumentException(
          name
              + " is bound to "
              + tensor
              + " on a device, but this trunk computes on the host; open it with TapMemory.Cuda");
    }
    return tensor.onHost();
  }

  /** Waits until everything that was run is done; on the host it is done anyway. */
  public void synchronize() {
    requireOpen();
    try {
      session.synchronize();
    } catch (OrtFailure e) {
      throw new IllegalStateException("the backbone failed: " + e.reason(), e);
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the trunk is closed");
    }
  }

  /** Waits for what was run, then closes the session; tensors and stream stay the caller's. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      session.close();
    }
  }
}
