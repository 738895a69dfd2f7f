package dev.sidefade.backbone;

import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** A frozen backbone: its model, what the model is made of, and how images are prepared for it. */
public final class Backbone implements AutoCloseable {
  private final Path file;
  private final OnnxModel model;
  private final BackboneStructure structure;
  private final String hash;
  private final Optional<Preprocessing> preprocessing;
  private final List<Trunk> trunks = new ArrayList<>();

  private Backbone(
      Path file,
      OnnxModel model,
      BackboneStructure structure,
      String hash,
      Optional<Preprocessing> preprocessing) {
    this.file = file;
    this.model = model;
    this.structure = structure;
    this.hash = hash;
    this.preprocessing = preprocessing;
  }

  /**
   * Reads a model and finds out what it is made of. {@code NAME.json} beside {@code NAME.onnx} may
   * name its taps and say how images are prepared; see {@link Preprocessing}.
   *
   * @param file the ONNX model
   * @return the model and what it is made of
   * @throws BadInputException if the file is no ONNX model, has been optimised or quantised, has no
   *     taps to be found or a fixed batch size, or if the JSON beside it is malformed or
   *     contradicts it
   * @throws IOException if a file cannot be read
   */
  public static Backbone load(Path file) throws IOException {
    OnnxModel model = OnnxModel.read(file);
    Optional<NamedTaps> named = PreprocessingReader.document(file).flatMap(NamedTaps::of);
    BackboneStructure structure = StructureFinder.find(model, named);
    structure.inputs().forEach(Backbone::checkInput);
    Optional<Preprocessing> preprocessing = Optional.empty();
    if (structure.inputs().size() == 1 && structure.inputs().getFirst().isImage()) {
      List<Long> dims = structure.inputs().getFirst().dims();
      preprocessing =
          Optional.of(
              PreprocessingReader.read(
                  file,
                  model.metadata(),
                  Math.toIntExact(dims.get(1)),
                  Math.toIntExact(dims.get(2)),
                  Math.toIntExact(dims.get(3))));
    }
    return new Backbone(file, model, structure, Sha256.ofFile(file), preprocessing);
  }

  /** {@return where the model was read from} */
  public Path file() {
    return file;
  }

  /** {@return the model, not to be edited: copy it first} */
  public OnnxModel model() {
    return model;
  }

  /** {@return what the model is made of} */
  public BackboneStructure structure() {
    return structure;
  }

  /**
   * {@return SHA-256 of the model file (external data is not part of it), 64 hexadecimal digits}
   */
  public String hash() {
    return hash;
  }

  /**
   * {@return SHA-256 of the model file and of the tensors that lie in files beside it, 64
   * hexadecimal digits; {@link #hash} where none do. The files are read piece by piece at every
   * call}
   */
  public String contentHash() {
    return ContentHash.of(hash, model.graph());
  }

  /** {@return whether the one input is images} */
  public boolean takesImages() {
    return preprocessing.isPresent();
  }

  /**
   * {@return how images are prepared}
   *
   * @throws BadInputException if the backbone does not take images
   */
  public Preprocessing preprocessing() {
    return preprocessing.orElseThrow(() -> {
      List<String> names = structure.inputs().stream().map(InputSpec::name).toList();
      return new BadInputException(
          "the backbone takes "
              + names
              + " and not images; a backbone with one input of"
              + " batch x channels x height x width is needed");
    });
  }

  /** {@return name of the first input: the only one of a backbone that takes images} */
  public String inputName() {
    return structure.inputs().getFirst().name();
  }

  /** {@return channels of an image; for a backbone that takes images} */
  public int channels() {
    return preprocessing().channels();
  }

  /** {@return rows of an image; for a backbone that takes images} */
  public int height() {
    return preprocessing().height();
  }

  /** {@return columns of an image; for a backbone that takes images} */
  public int width() {
    return preprocessing().width();
  }

  /** {@return the residual stream: what enters the first block, then what every block returns} */
  public List<BackboneStructure.Tap> taps() {
    return structure.taps();
  }

  /**
   * {@return number of features of a token at a tap}
   *
   * @param tap number of the tap, from 0
   */
  public int width(int tap) {
    return structure.taps().get(tap).width();
  }

  /** {@return number of tokens at the last tap; -1 where it depends on the input} */
  public long tokens() {
    return structure.lastTap().tokens();
  }

  /** {@return scale of the final norm, [width]} */
  public float[] finalNormScale() {
    return constant(finalNorm().scale());
  }

  /** {@return bias of the final norm, [width]; zeros where it has none} */
  public float[] finalNormBias() {
    Norm norm = finalNorm();
    return norm.bias()
        .map(this::constant)
        .orElseGet(() -> new float[Math.toIntExact(norm.width())]);
  }

  /** {@return what the final norm adds to the variance} */
  public float finalNormEpsilon() {
    return finalNorm().epsilon();
  }

  /**
   * {@return values of a floating-point constant of the graph, row-major}
   *
   * @param value name of the value
   */
  public float[] constant(String value) {
    return GraphEdit.constantValue(model.graph(), value)
        .map(Initializer::floats)
        .orElseThrow(() -> new BadInputException("the backbone has no constant named " + value));
  }

  /**
   * {@return a session that returns some taps; this backbone closes it at the latest when it is
   * closed itself}
   *
   * @param threads that compute one operator; 0 leaves the choice to ONNX Runtime
   * @param selectedTaps numbers of the taps, 0 being the embeddings
   */
  public Trunk openTrunk(int threads, List<Integer> selectedTaps) {
    return openTrunk(TrunkSpec.of(threads, selectedTaps));
  }

  /**
   * {@return a trunk that returns all taps}
   *
   * @param threads that compute one operator; 0 leaves the choice to ONNX Runtime
   */
  public Trunk openTrunk(int threads) {
    return openTrunk(threads, IntStream.range(0, taps().size()).boxed().toList());
  }

  /**
   * {@return a session that returns what is specified; this backbone closes it at the latest when
   * it is closed itself}
   *
   * @param spec what is wanted
   */
  public Trunk openTrunk(TrunkSpec spec) {
    Trunk trunk = Trunk.open(model, structure, spec);
    trunks.add(trunk);
    return trunk;
  }

  private Norm finalNorm() {
    return structure
        .finalNorm()
        .orElseThrow(
            () -> new BadInputException("the backbone has no final norm that could be tuned"));
  }

  private static void checkInput(InputSpec input) {
    // refuses other types
    input.dtype();
    if (!input.dims().isEmpty() && input.dims().getFirst() >= 0) {
      throw new BadInputException(
          "input "
              + input.name()
              + " of the backbone has a fixed batch size of "
              + input.dims().getFirst()
              + "; export the model with a dynamic batch axis (dynamic_axes or dynamic_shapes)");
    }
  }

  @Override
  public void close() {
    trunks.forEach(Trunk::close);
    trunks.clear();
  }
}
