package dev.sidefade.backbone;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A backbone whose inner constants learn: they are fed with every run, and exact gradients of them
 * come back. Otherwise like {@link Trunk}: outputs are the selected taps, then what enters the
 * final norm unless that is one of them. Batches and numbers of tokens may change from run to run.
 * The same inputs give the same bits. Not safe for use by several threads.
 */
public final class TunedTrunk implements AutoCloseable {
  private final List<InputSpec> inputs;
  private final List<TunableConstant> constants;
  private final Map<String, Shape> shapes = new LinkedHashMap<>();
  private final List<TrunkOutput> outputs;
  private final int finalInput;
  private final GradientPass pass;
  private final OrtSession session;

  /** What the last forward run kept; null where there was none or it was used. */
  private @Nullable ForwardRun pending;

  private boolean closed;

  private TunedTrunk(TunedGraph tuned, GradientPass pass, OrtSession session) {
    this.inputs = tuned.structure().inputs();
    this.constants = tuned.constants();
    this.outputs = tuned.outputs();
    this.finalInput = TrunkOutput.finalInput(tuned.structure(), outputs);
    this.pass = pass;
    this.session = session;
    constants.forEach(constant -> shapes.put(constant.name(), constant.shape()));
  }

  /**
   * Opens the sessions; the backbone is left as it is, and must stay open no longer than this call.
   *
   * @param backbone the pretrained model and what it is made of
   * @param spec what is wanted
   * @return the sessions, to be closed
   * @throws BadInputException if a tap does not exist, there is nothing to tune, no gradient can be
   *     taken of an operator in between, or ONNX Runtime does not take the model
   */
  public static TunedTrunk open(Backbone backbone, TunedTrunkSpec spec) {
    TunedGraph tuned = TunedGraph.of(backbone.model(), backbone.structure(), spec);
    try (GradientSessions sessions = new GradientSessions(spec.threads())) {
      GradientPass pass =
          switch (spec.memory().kind()) {
            case STORED -> StoredPass.open(tuned, sessions);
            case MICRO_BATCH -> StretchPass.microBatches(tuned, spec.memory().rows(), sessions);
            case TAPS -> StretchPass.blockByBlock(tuned, sessions);
          };
      try {
        return new TunedTrunk(tuned, pass, sessions.open(pass.forward()));
      } catch (RuntimeException e) {
        pass.close();
        throw e;
      }
    }
  }

  /** {@return what must be fed with every run, in the order of {@link TunableConstants#of}} */
  public List<TunableConstant> constants() {
    return constants;
  }

  /** {@return what comes out, in the order of the tensors that the forward runs fill} */
  public List<TrunkOutput> outputs() {
    return outputs;
  }

  /**
   * {@return which output is what enters the final norm; the last tap where there is no final norm}
   */
  public int finalInput() {
    return finalInput;
  }

  /**
   * Computes one batch and keeps nothing.
   *
   * @param inputs host tensors, one for each input of the model, [batch, ...]
   * @param constants host tensors of F32, one for each tuned constant
   * @param batch number of examples
   * @param results host tensors in the order of {@link #outputs}, F32, of the shapes of {@link
   *     TrunkOutput#shape}; they are overwritten and must not overlap
   * @throws IllegalArgumentException if a tensor is missing or has another type or shape
   * @throws IllegalStateException if the trunk is closed, or ONNX Runtime fails
   */
  public void forward(
      Map<String, Tensor> inputs, Map<String, Tensor> constants, long batch, List<Tensor> results) {
    run(inputs, constants, batch, results, Set.of()).close();
  }

  /**
   * Computes one batch and keeps what {@link #backward} needs: memory of ONNX Runtime's, and the
   * tensors given here, which must stay open and unchanged until then. What an earlier run kept is
   * dropped. Parameters as in {@link #forward}.
   *
   * @param inputs host tensors by the names of the inputs
   * @param constants host tensors by the names of the constants
   * @param batch number of examples
   * @param results host tensors that are filled, in the order of the outputs
   */
  public void forwardForGradient(
      Map<String, Tensor> inputs, Map<String, Tensor> constants, long batch, List<Tensor> results) {
    drop();
    pending = run(inputs, constants, batch, results, pass.kept());
  }

  private ForwardRun run(
      Map<String, Tensor> fedInputs,
      Map<String, Tensor> fedConstants,
      long batch,
      List<Tensor> results,
      Set<String> kept) {
    requireOpen();
    Map<String, Tensor> feeds = new LinkedHashMap<>(fedInputs);
    feeds.putAll(fedConstants);
    RunChecks.feeds(inputs, shapes, feeds, batch);
    RunChecks.results(outputs, results, batch);
    Map<String, Tensor> rows = new LinkedHashMap<>(fedInputs);
    try (NativeTensors natives = new NativeTensors()) {
      for (int i = 0; i < outputs.size(); i++) {
        rows.put(outputs.get(i).value(), results.get(i));
      }
      OrtSession.Result result =
          session.run(natives.over(feeds), kept, natives.over(outputs, results));
      return new ForwardRun(batch, rows, new LinkedHashMap<>(fedConstants), result);
    } catch (OrtException e) {
      throw failed(batch, e);
    }
  }

  /**
   * Computes the gradients of all constants after {@link #forwardForGradient}, once.
   *
   * @param dFinal gradient by the output {@link #finalInput}, of the same shape
   * @param gradients host tensors of F32 with the constants' names and shapes; they are overwritten
   * @throws IllegalArgumentException if a tensor is missing or has another type or shape
   * @throws IllegalStateException if nothing was kept, the trunk is closed, or ONNX Runtime fails
   */
  public void backward(Tensor dFinal, Map<String, Tensor> gradients) {
    requireOpen();
    if (pending == null) {
      throw new IllegalStateException("backward needs a forward run for gradients before it");
    }
    Tensor last = Objects.requireNonNull(pending.rows().get(outputs.get(finalInput).value()));
    if (!dFinal.shape().equals(last.shape()) || dFinal.dtype() != DType.F32) {
      throw new IllegalArgumentException("the gradient is " + dFinal + ", but must be " + last);
    }
    RunChecks.gradients(shapes, gradients);
    long batch = pending.batch();
    try {
      pass.run(pending, dFinal, gradients);
    } catch (OrtException e) {
      throw failed(batch, e);
    } finally {
      drop();
    }
  }

  /**
   * {@return bytes of activations that the last {@link #backward} had to have at once: what it read
   * of what the forward run left (taps in the caller's tensors included), and, where parts are
   * computed again, what the largest part kept between its forward and its backward half, counted
   * as F32} 0 before the first backward run.
   */
  public long keptBytes() {
    return pass.keptBytes();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the trunk is closed");
    }
  }

  private void drop() {
    if (pending != null) {
      pending.close();
      pending = null;
    }
  }

  private static IllegalStateException failed(long batch, OrtException e) {
    return new IllegalStateException(
        "the backbone failed on a batch of " + batch + ": " + Sessions.firstLine(e), e);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    drop();
    pass.close();
    Sessions.close(session);
  }
}
