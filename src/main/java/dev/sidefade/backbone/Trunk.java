package dev.sidefade.backbone;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An ONNX Runtime session over a backbone, cut behind what is asked for. Its outputs are the
 * selected taps, then what enters the final norm (the last tap where there is no final norm) unless
 * that is a selected tap, then the logits if asked for. They are written straight into the caller's
 * tensors. May be run by several threads at once.
 */
public final class Trunk implements AutoCloseable {
  private final OrtSession session;
  private final CutModel cut;
  private final Map<String, Shape> shapes;
  private boolean closed;

  private Trunk(OrtSession session, CutModel cut) {
    this.session = session;
    this.cut = cut;
    this.shapes = cut.constantShapes();
  }

  /**
   * Opens a session; the model is left as it is.
   *
   * @param model the model
   * @param structure what its graph is made of
   * @param spec what is wanted
   * @return the session, to be closed
   * @throws BadInputException if ONNX Runtime does not take the model, a tap or constant does not
   *     exist, or logits are asked of a model without head
   */
  public static Trunk open(OnnxModel model, BackboneStructure structure, TrunkSpec spec) {
    CutModel cut = CutModel.of(model, structure, spec);
    try (OrtSession.SessionOptions options = Sessions.options(spec.threads())) {
      return new Trunk(Sessions.open(cut.model(), options), cut);
    } catch (OrtException e) {
      throw new IllegalStateException("ONNX Runtime refuses its options: " + e.getMessage(), e);
    }
  }

  /** {@return what comes out, in the order of the tensors that {@link #run} fills} */
  public List<TrunkOutput> outputs() {
    return cut.outputs();
  }

  /**
   * {@return which output is what enters the final norm; the last tap where there is no final norm}
   */
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
   * Computes one batch of a backbone with a single input and no tuned constants.
   *
   * @param input [batch, ...] as the model wants it
   * @param batch number of examples
   * @param results as in {@link #run(Map, long, List)}
   */
  public void run(Tensor input, long batch, List<Tensor> results) {
    List<InputSpec> inputs = cut.inputs();
    if (inputs.size() != 1) {
      List<String> names = inputs.stream().map(InputSpec::name).toList();
      throw new IllegalArgumentException("the backbone has several inputs: " + names);
    }
    run(Map.of(inputs.getFirst().name(), input), batch, results);
  }

  /**
   * Computes one batch.
   *
   * @param feeds host tensors, one for each input of the model, [batch, ...], and one for each
   *     tuned constant
   * @param batch number of examples
   * @param results host tensors in the order of {@link #outputs}, float32, of the shapes of {@link
   *     TrunkOutput#shape}; they are overwritten and must not overlap
   * @throws IllegalArgumentException if a tensor is missing or has another type or shape
   * @throws IllegalStateException if the trunk is closed, or ONNX Runtime fails
   */
  public void run(Map<String, Tensor> feeds, long batch, List<Tensor> results) {
    if (closed) {
      throw new IllegalStateException("the trunk is closed");
    }
    RunChecks.feeds(cut.inputs(), shapes, feeds, batch);
    RunChecks.results(cut.outputs(), results, batch);
    try (NativeTensors natives = new NativeTensors()) {
      session.run(natives.over(feeds), Set.of(), natives.over(cut.outputs(), results)).close();
    } catch (OrtException e) {
      throw new IllegalStateException(
          "the backbone failed on a batch of " + batch + ": " + Sessions.firstLine(e), e);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    Sessions.close(session);
  }
}
