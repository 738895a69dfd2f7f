package dev.sidefade.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExternalDataTest {
  @TempDir Path temporary;
  private Path folder;

  @BeforeEach
  void makeFolder() throws IOException {
    folder = Files.createDirectory(temporary.resolve("model"));
  }

  /** y [N, 40] = x [N, 30] * w + b, of which w is large enough to be put outside and b is not. */
  private static OnnxModel model() {
    OnnxModel model = OnnxModel.create(8, 17);
    OnnxGraph graph = model.graph();
    graph.addInput("x", ElementType.FLOAT, "N", 30L);
    graph.addInitializer(Initializer.floats("w", TestModels.randomFloats(1, 1200), 30, 40));
    graph.addInitializer(Initializer.floats("u", TestModels.randomFloats(4, 1200), 40, 30));
    graph.addInitializer(Initializer.floats("b", TestModels.randomFloats(2, 40), 40));
    graph.addNode("MatMul", List.of("x", "w"), List.of("xw"));
    graph.addNode("Add", List.of("xw", "b"), List.of("sum"));
    graph.addNode("MatMul", List.of("sum", "u"), List.of("y"));
    graph.addOutput("y", ElementType.FLOAT, "N", 30L);
    return model;
  }

  @Test
  void largeTensorsGoBesideTheModel() throws Exception {
    OnnxModel model = model();
    Path file = folder.resolve("m.onnx");
    model.write(file, true);

    assertTrue(Files.size(folder.resolve("m.onnx.data")) >= 2 * 4800);
    assertTrue(Files.size(file) < 2000);
    OnnxModel again = OnnxModel.read(file);
    assertTrue(again.graph().initializers().get("w").external());
    assertFalse(again.graph().initializers().get("b").external());
    for (String name : List.of("w", "u", "b")) {
      assertArrayEquals(
          model.graph().initializers().get(name).floats(),
          again.graph().initializers().get(name).floats());
    }
    Map<String, byte[]> expected = TestModels.run(model.toBytes(), 1);
    TestModels.assertSameOutputs(expected, TestModels.run(file, 1));
    TestModels.assertSameOutputs(expected, TestModels.run(again.toBytes(), 1));
  }

  @Test
  void modelMovesToAnotherFolderWithItsData() throws Exception {
    Path file = folder.resolve("m.onnx");
    model().write(file, true);
    Map<String, byte[]> expected = TestModels.run(file, 1);
    Path other = Files.createDirectory(temporary.resolve("other"));

    OnnxModel.read(file).write(other.resolve("one.onnx"));
    OnnxModel.read(file).write(other.resolve("two.onnx"), true);
    // in place: the mapped data file is replaced while it is read
    OnnxModel.read(file).write(file, true);

    assertFalse(Files.exists(other.resolve("one.onnx.data")));
    TestModels.assertSameOutputs(expected, TestModels.run(other.resolve("one.onnx"), 1));
    TestModels.assertSameOutputs(expected, TestModels.run(other.resolve("two.onnx"), 1));
    TestModels.assertSameOutputs(expected, TestModels.run(file, 1));
  }

  @Test
  void externalConstantOfANodeMovesInside() throws Exception {
    Files.write(folder.resolve("c.bin"), new byte[] {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x40});
    Initializer tensor = located("c", "c.bin", "0", "8", 2);
    OnnxModel model = OnnxModel.create(8, 17);
    model.graph().addNode("Constant", List.of(), List.of("c"), Attribute.tensor("value", tensor));
    model.graph().addOutput("c", ElementType.FLOAT, 2L);
    // the tensor above refers to no folder, so the file is put together from its message
    Path file = writeLocated(model);
    OnnxModel read = OnnxModel.read(file);

    assertArrayEquals(
        new float[] {1, 2}, GraphEdit.constantValue(read.graph(), "c").orElseThrow().floats());
    assertArrayEquals(
        new float[] {1, 2}, TestModels.floats(TestModels.run(read.toBytes(), 1).get("c")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../secret",
        "/etc/hostname",
        "sub/../../secret",
        "link",
        "up/secret",
        "up/up/secret",
        "",
        "a\0b"
      })
  void pathsThatLeaveTheFolderAreRefused(String location) throws IOException {
    Files.write(temporary.resolve("secret"), new byte[64]);
    Files.createSymbolicLink(folder.resolve("link"), temporary.resolve("secret"));
    Files.createSymbolicLink(folder.resolve("up"), temporary);
    Files.createSymbolicLink(temporary.resolve("up"), temporary);
    BadInputException refused = refusal(location, "0", "8");
    assertTrue(refused.getMessage().contains("leaves the model's folder"), refused.getMessage());
  }

  @Test
  void linksAndFoldersInsideTheFolderAreFine() throws IOException {
    Files.createDirectory(folder.resolve("sub"));
    Files.write(folder.resolve("sub/data"), new byte[8]);
    Files.createSymbolicLink(folder.resolve("link"), folder.resolve("sub/data"));
    for (String location : List.of("sub/data", "sub/../sub/data", "link", "./link")) {
      OnnxModel read = OnnxModel.read(writeLocated(withInitializer(location, "0", "8")));
      assertArrayEquals(new float[2], read.graph().initializers().get("t").floats());
    }
  }

  @Test
  void missingOrShortFilesAreRefusedWithTheirName() throws IOException {
    assertTrue(
        refusal("gone.bin", "0", "8").getMessage().contains("gone.bin of tensor t is missing"));
    Files.write(folder.resolve("short.bin"), new byte[15]);
    assertTrue(refusal("short.bin", "8", "8").getMessage().contains("short.bin has 15 bytes"));
    assertThrows(
        BadInputException.class, () -> readLocated("short.bin", "9223372036854775807", "8"));
    assertThrows(BadInputException.class, () -> readLocated("short.bin", "-8", "8"));
    assertThrows(BadInputException.class, () -> readLocated("short.bin", "eight", "8"));
  }

  @Test
  void lengthThatDoesNotFitTheShapeIsRefused() throws IOException {
    Files.write(folder.resolve("data"), new byte[64]);
    OnnxModel read = OnnxModel.read(writeLocated(withInitializer("data", "0", "12")));
    BadInputException refused =
        assertThrows(BadInputException.class, () -> read.graph().initializers().get("t").floats());
    assertTrue(refused.getMessage().contains("must have 8 bytes but has 12"));
  }

  @Test
  void modelFromMemoryCannotReachFiles() {
    byte[] bytes = withInitializer("data", "0", "8").toBytes();
    Initializer tensor = OnnxModel.parse(bytes).graph().initializers().get("t");
    assertArrayEquals(new long[] {2}, tensor.dims());
    assertThrows(BadInputException.class, tensor::data);
  }

  @Test
  void dataBeyondTwoGigabytesIsReached() throws IOException {
    long offset = 3L << 30;
    try (RandomAccessFile data = new RandomAccessFile(folder.resolve("big").toFile(), "rw")) {
      data.setLength(offset + 8);
      data.seek(offset);
      data.write(new byte[] {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x40});
    }
    OnnxModel read =
        OnnxModel.read(writeLocated(withInitializer("big", Long.toString(offset), "8")));
    assertArrayEquals(new float[] {1, 2}, read.graph().initializers().get("t").floats());
  }

  @Test
  void modelFileBeyondTwoGigabytesIsRead() throws IOException {
    long size = (5L << 29) + 3;
    ProtoWriter tensor = new ProtoWriter();
    tensor.varint(1, size);
    tensor.varint(2, ElementType.UINT8.code());
    tensor.string(8, "big");
    byte[] tensorHead = tensor.toBytes();
    byte[] rawTag = tagAndLength(9, size);
    byte[] tensorTag = tagAndLength(5, tensorHead.length + rawTag.length + size);
    ProtoWriter rest = new ProtoWriter();
    rest.message(12, new ProtoWriter(ValueInfo.untyped("big").fields()));
    byte[] graphTag =
        tagAndLength(7, tensorTag.length + tensorHead.length + rawTag.length + size + rest.size());
    Path file = folder.resolve("huge.onnx");
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.write(new byte[] {8, 8});
      for (byte[] part : List.of(graphTag, tensorTag, tensorHead, rawTag)) {
        out.write(part);
      }
      // a hole, which takes no space on the disk
      out.seek(out.getFilePointer() + size - 1);
      out.write(77);
      out.write(rest.toBytes());
    }
    OnnxModel model = OnnxModel.read(file);
    Initializer big = model.graph().initializers().get("big");

    assertEquals(size, big.size());
    assertEquals(77, big.data().get(ValueLayout.JAVA_BYTE, size - 1));
    assertEquals("big", model.graph().outputs().getFirst().name());
    assertThrows(BadInputException.class, model::toBytes);
    assertThrows(BadInputException.class, () -> model.write(folder.resolve("no.onnx"), false));
    assertThrows(BadInputException.class, big::floats);
  }

  private static byte[] tagAndLength(int field, long length) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(field << 3 | 2);
    long rest = length;
    for (; rest > 127; rest >>>= 7) {
      bytes.write((int) (rest & 127) | 128);
    }
    bytes.write((int) rest);
    return bytes.toByteArray();
  }

  private BadInputException refusal(String location, String offset, String length) {
    return assertThrows(BadInputException.class, () -> readLocated(location, offset, length));
  }

  private void readLocated(String location, String offset, String length) throws IOException {
    OnnxModel.read(writeLocated(withInitializer(location, offset, length)));
  }

  /** A model whose output is a FLOAT [2] initializer {@code t} in another file. */
  private static OnnxModel withInitializer(String location, String offset, String length) {
    OnnxModel model = OnnxModel.create(8, 17);
    model.graph().addInitializer(located("t", location, offset, length, 2));
    model.graph().addOutput("t", ElementType.FLOAT, 2L);
    return model;
  }

  /**
   * A tensor that says it is elsewhere; as nothing has read it yet, it counts as one of a typed
   * list here.
   */
  private static Initializer located(
      String name, String location, String offset, String length, long size) {
    ProtoWriter message = new ProtoWriter();
    message.varint(1, size);
    message.varint(2, ElementType.FLOAT.code());
    message.string(8, name);
    message.message(13, MetadataMap.entry("location", location));
    message.message(13, MetadataMap.entry("offset", offset));
    message.message(13, MetadataMap.entry("length", length));
    message.varint(14, 1);
    return new Initializer(
        name,
        ElementType.FLOAT,
        new long[] {size},
        new TensorData.Typed(4, List.of()),
        message.toFields());
  }

  private Path writeLocated(OnnxModel model) throws IOException {
    Path file = folder.resolve("located.onnx");
    Files.write(file, model.toBytes());
    return file;
  }
}
