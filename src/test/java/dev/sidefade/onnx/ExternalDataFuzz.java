package dev.sidefade.onnx;

import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.Mutator;
import dev.sidefade.fuzz.ProtoMutator;
import dev.sidefade.fuzz.ScratchFolder;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Models in a folder with their data in other files. Beside the folder lie files full of a byte
 * that is found nowhere in it, and links in it lead there: that byte must never be read.
 */
public final class ExternalDataFuzz implements FuzzTarget {
  private static final byte SECRET = (byte) 0xA5;
  private static final List<String> PLACES =
      List.of(
          "data",
          "sub/data",
          "../secret",
          "link",
          "up",
          "up/secret",
          "sub/../../secret",
          "..",
          ".",
          "/",
          "./link",
          "sub/up/secret",
          "//",
          "../model/../secret",
          "offset",
          "length",
          "location",
          "9223372036854775807",
          "-1",
          "4",
          "%2e%2e/secret",
          "..\\secret",
          "~",
          "loop");

  private final ScratchFolder scratch;
  private final Path folder;
  private final Path model;
  private final Mutator mutator;
  private final ProtoMutator structure;

  /** Makes the folders. */
  public ExternalDataFuzz() throws IOException {
    scratch = ScratchFolder.create();
    Path root = scratch.path();
    byte[] secret = new byte[256];
    Arrays.fill(secret, SECRET);
    Files.write(root.resolve("secret"), secret);
    folder = Files.createDirectory(root.resolve("model"));
    Files.createDirectory(folder.resolve("sub"));
    Files.write(folder.resolve("data"), new byte[64]);
    Files.write(folder.resolve("sub/data"), new byte[64]);
    Files.createSymbolicLink(folder.resolve("link"), root.resolve("secret"));
    Files.createSymbolicLink(folder.resolve("up"), root);
    Files.createSymbolicLink(folder.resolve("sub/up"), Path.of("../.."));
    Files.createSymbolicLink(folder.resolve("loop"), Path.of("loop"));
    model = folder.resolve("m.onnx");
    List<byte[]> samples = new ArrayList<>();
    for (String place : PLACES) {
      samples.add(located(place, "0", "8"));
      samples.add(located(root.resolve(place.replace('/', '_')).toString(), "8", "8"));
    }
    samples.add(located(root.resolve("secret").toString(), "0", "8"));
    samples.add(located("data", "8", "8"));
    mutator = new Mutator(samples, PLACES);
    structure = new ProtoMutator(mutator);
  }

  /** A FLOAT [2] initializer in another file, and a Constant node with the same. */
  private static byte[] located(String location, String offset, String length) {
    ProtoWriter message = new ProtoWriter();
    message.varint(1, 2);
    message.varint(2, ElementType.FLOAT.code());
    message.string(8, "t");
    message.message(13, MetadataMap.entry("location", location));
    message.message(13, MetadataMap.entry("offset", offset));
    message.message(13, MetadataMap.entry("length", length));
    message.varint(14, 1);
    Initializer tensor =
        new Initializer(
            "t",
            ElementType.FLOAT,
            new long[] {2},
            new TensorData.Typed(4, List.of()),
            message.toFields());
    OnnxModel model = OnnxModel.create(8, 17);
    model.graph().addInitializer(tensor);
    model.graph().addNode("Constant", List.of(), List.of("c"), Attribute.tensor("value", tensor));
    model.graph().addOutput("t", ElementType.FLOAT, 2L);
    return model.toBytes();
  }

  @Override
  public String name() {
    return "onnx external data";
  }

  @Override
  public byte[] mutant(RandomGenerator random) {
    byte[] bytes = mutator.sample(random);
    for (int change = 1 + random.nextInt(4); change > 0; change--) {
      bytes =
          random.nextInt(4) == 0
              ? mutator.changed(bytes, random)
              : structure.changed(bytes, random);
    }
    return bytes;
  }

  @Override
  public void read(byte[] input) throws IOException {
    ScratchFolder.replace(model, input);
    OnnxModel read = OnnxModel.read(model);
    boolean inModel = holdsSecret(input);
    for (Initializer tensor : read.graph().initializers().values()) {
      look(tensor, inModel);
    }
    for (OnnxNode node : read.graph().nodes()) {
      for (String output : node.outputs()) {
        try {
          GraphEdit.constantValue(read.graph(), output).ifPresent(t -> look(t, inModel));
        } catch (BadInputException e) {
          // refused as a constant
        }
      }
    }
  }

  private static void look(Initializer tensor, boolean inModel) {
    try {
      byte[] bytes = tensor.data().toArray(ValueLayout.JAVA_BYTE);
      if (!inModel && holdsSecret(bytes)) {
        throw new IllegalStateException("a file outside of the folder was read");
      }
    } catch (BadInputException e) {
      // refused when asked for
    } catch (UncheckedIOException e) {
      throw new IllegalStateException("not refused: " + e.getCause(), e);
    }
  }

  private static boolean holdsSecret(byte[] bytes) {
    MemorySegment segment = MemorySegment.ofArray(bytes);
    for (long i = 0; i < segment.byteSize(); i++) {
      if (segment.get(ValueLayout.JAVA_BYTE, i) == SECRET) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() throws IOException {
    scratch.close();
  }
}
