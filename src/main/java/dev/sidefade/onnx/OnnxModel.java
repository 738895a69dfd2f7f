package dev.sidefade.onnx;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An ONNX model: a graph and what is said about it. Mutable; not safe for use by several threads.
 */
public final class OnnxModel {
  private final OnnxGraph graph;
  private final List<OpsetImport> opsetImports;
  private final MetadataMap metadata;
  private final List<RawField> kept;
  private final long irVersion;

  /** Null where the file has none. */
  private final @Nullable String producer;

  OnnxModel(
      long irVersion,
      @Nullable String producer,
      OnnxGraph graph,
      List<OpsetImport> opsetImports,
      MetadataMap metadata,
      List<RawField> kept) {
    this.irVersion = irVersion;
    this.producer = producer;
    this.graph = graph;
    this.opsetImports = new ArrayList<>(opsetImports);
    this.metadata = metadata;
    this.kept = List.copyOf(kept);
  }

  /**
   * Reads a model. The file is mapped, so its tensors cost no memory until they are used; it must
   * not be overwritten in place meanwhile ({@link #write} moves a new file into place, which is
   * safe). External data is looked for in the model's folder.
   *
   * @param file the file
   * @return the model
   * @throws BadInputException if the file is missing, is no complete ONNX model, or has external
   *     data that is missing or outside its folder
   * @throws IOException if the file cannot be read
   */
  public static OnnxModel read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw Refusal.of("there is no model file " + file + "; check the path");
    }
    if (Files.size(file) == 0) {
      throw Refusal.of(file + " is empty and no ONNX model; export or download it again");
    }
    Path folder = file.toAbsolutePath().normalize().getParent();
    MemorySegment bytes = ExternalFolder.map(file);
    OnnxModel model =
        new ModelReader(new ExternalFolder(folder)).model(new ProtoReader(file.toString(), bytes));
    checkExternalData(model.graph);
    return model;
  }

  /**
   * Reads a model from memory, which must not be changed afterwards. External data cannot be
   * reached.
   *
   * @param bytes the model as protobuf
   * @return the model
   * @throws BadInputException if the bytes are no complete ONNX model
   */
  public static OnnxModel parse(byte[] bytes) {
    ProtoReader reader = new ProtoReader("the model", MemorySegment.ofArray(bytes).asReadOnly());
    return new ModelReader(ExternalFolder.NONE).model(reader);
  }

  /**
   * {@return a model with an empty graph that imports ONNX's own operators}
   *
   * @param irVersion version of the format
   * @param opset version of ONNX's operators
   */
  public static OnnxModel create(long irVersion, long opset) {
    return new OnnxModel(
        irVersion,
        "sidefade",
        new OnnxGraph("main"),
        List.of(OpsetImport.of("", opset)),
        new MetadataMap(),
        List.of());
  }

  /**
   * {@return the model as one file with all tensors in it, external ones too}
   *
   * @throws BadInputException if that would be over 2 GB, which no protobuf file may be
   */
  public byte[] toBytes() {
    ProtoWriter message = new ModelWriter(null).model(this);
    if (message.size() > Integer.MAX_VALUE - 8) {
      throw Refusal.of(
          "the model has "
              + message.size()
              + " bytes, more than one file can hold; write it with external data");
    }
    return message.toBytes();
  }

  /**
   * Writes the model as one file if it fits, else with its tensors in {@code <name>.data} beside
   * it. The file appears whole or not at all.
   *
   * @param file the file
   * @throws IOException if the file cannot be written
   */
  public void write(Path file) throws IOException {
    ModelFiles.write(this, file);
  }

  /**
   * Writes the model, with large tensors in {@code <name>.data} beside it if {@code externalData},
   * else all in one file.
   *
   * @param file the file
   * @param externalData whether large tensors go beside it
   * @throws BadInputException if it is over 2 GB without external data
   * @throws IOException if the file cannot be written
   */
  public void write(Path file, boolean externalData) throws IOException {
    ModelFiles.write(this, file, externalData);
  }

  /** {@return the graph, to be edited} */
  public OnnxGraph graph() {
    return graph;
  }

  /** {@return version of ONNX's own operators; 0 where the model imports none} */
  public long opset() {
    return opsets().getOrDefault("", 0L);
  }

  /**
   * {@return version of the operators of each domain that is imported; that of ONNX itself under
   * the empty name}
   */
  public Map<String, Long> opsets() {
    Map<String, Long> versions = new LinkedHashMap<>();
    opsetImports.forEach(entry -> versions.put(OpsetImport.plain(entry.domain()), entry.version()));
    return Collections.unmodifiableMap(versions);
  }

  /**
   * Imports a domain, or changes its version.
   *
   * @param domain empty for ONNX itself
   * @param version of the operators
   */
  public void setOpset(String domain, long version) {
    String plain = OpsetImport.plain(domain);
    if (Long.valueOf(version).equals(opsets().get(plain))) {
      return;
    }
    opsetImports.removeIf(entry -> OpsetImport.plain(entry.domain()).equals(plain));
    opsetImports.add(OpsetImport.of(plain, version));
  }

  /** {@return version of the file format} */
  public long irVersion() {
    return irVersion;
  }

  /** {@return the tool that made the model; empty where it does not say} */
  public String producer() {
    return producer == null ? "" : producer;
  }

  /** {@return free texts about the model ({@code metadata_props}), to be edited} */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * {@return the same model; edits of one do not show in the other} Tensors are shared, for they
   * never change.
   */
  public OnnxModel copy() {
    return withGraph(graph.copy());
  }

  /** All but the graph. */
  OnnxModel withGraph(OnnxGraph other) {
    return new OnnxModel(irVersion, producer, other, opsetImports, metadata.copy(), kept);
  }

  @Nullable String producerOrNull() {
    return producer;
  }

  List<OpsetImport> opsetImports() {
    return opsetImports;
  }

  MetadataMap metadataMap() {
    return metadata;
  }

  List<RawField> kept() {
    return kept;
  }

  private static void checkExternalData(OnnxGraph graph) throws IOException {
    for (Initializer tensor : graph.tensors()) {
      tensor.checkReachable();
    }
  }
}
