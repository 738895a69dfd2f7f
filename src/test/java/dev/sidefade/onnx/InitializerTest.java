package dev.sidefade.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class InitializerTest {
  /** A tensor of {@code size} elements, filled by {@code content}, as a file may have it. */
  private static Initializer stored(ElementType type, long size, Consumer<ProtoWriter> content) {
    ProtoWriter message = new ProtoWriter();
    message.varint(1, size);
    message.varint(2, type.code());
    content.accept(message);
    MemorySegment bytes = MemorySegment.ofArray(message.toBytes());
    return new TensorReader(ExternalFolder.NONE).tensor(new ProtoReader("test", bytes));
  }

  private static Initializer packed(ElementType type, long size, int field, int... bytes) {
    byte[] content = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      content[i] = (byte) bytes[i];
    }
    return stored(type, size, message -> message.bytes(field, MemorySegment.ofArray(content)));
  }

  @Test
  void floatsOfEveryStorage() {
    float[] expected = {1, -2};
    int[] little = {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0};
    assertArrayEquals(expected, packed(ElementType.FLOAT, 2, 9, little).floats());
    assertArrayEquals(expected, packed(ElementType.FLOAT, 2, 4, little).floats());
    assertArrayEquals(
        expected,
        stored(
                ElementType.FLOAT,
                2,
                message -> {
                  message.float32(4, 1);
                  message.float32(4, -2);
                })
            .floats());
    // int32_data holds the bits of small floats
    assertArrayEquals(
        expected, packed(ElementType.FLOAT16, 2, 5, 0x80, 0x78, 0x80, 0x80, 0x03).floats());
    assertArrayEquals(expected, packed(ElementType.BFLOAT16, 2, 9, 0x80, 0x3f, 0, 0xc0).floats());
    assertArrayEquals(
        new float[] {0.5f},
        packed(ElementType.DOUBLE, 1, 10, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f).floats());
  }

  @Test
  void longsOfEveryStorage() {
    int[] minusOneAndThree = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x03};
    long[] signed = {-1, 3};
    assertArrayEquals(signed, packed(ElementType.INT64, 2, 7, minusOneAndThree).longs());
    assertArrayEquals(signed, packed(ElementType.INT32, 2, 5, minusOneAndThree).longs());
    assertArrayEquals(signed, packed(ElementType.INT16, 2, 5, minusOneAndThree).longs());
    assertArrayEquals(signed, packed(ElementType.INT8, 2, 5, minusOneAndThree).longs());
    assertArrayEquals(
        new long[] {255, 3}, packed(ElementType.UINT8, 2, 5, 0xff, 0x01, 0x03).longs());
    assertArrayEquals(new long[] {1, 0}, packed(ElementType.BOOL, 2, 5, 1, 0).longs());
    assertArrayEquals(
        new long[] {0xffff_ffffL},
        packed(ElementType.UINT32, 1, 11, 0xff, 0xff, 0xff, 0xff, 0x0f).longs());
    assertArrayEquals(
        new long[] {0xffff, 1}, packed(ElementType.UINT16, 2, 9, 0xff, 0xff, 1, 0).longs());
  }

  @Test
  void elementsSmallerThanAByteStayPacked() {
    Initializer tensor = packed(ElementType.INT4, 3, 5, 0x21, 0x03);
    assertEquals(2, tensor.byteSize());
    assertArrayEquals(new byte[] {0x21, 3}, tensor.data().toArray(ValueLayout.JAVA_BYTE));
    assertThrows(BadInputException.class, tensor::longs);
  }

  @Test
  void emptyTensorsNeedNoElements() {
    assertEquals(0, stored(ElementType.FLOAT, 0, _ -> {}).floats().length);
    assertEquals(0, Initializer.floats("none", new float[0], 3, 0).size());
  }

  @Test
  void wrongNumberOfElementsIsRefused() {
    assertThrows(BadInputException.class, packed(ElementType.FLOAT, 2, 9, 0, 0, 0, 0)::floats);
    assertThrows(BadInputException.class, packed(ElementType.FLOAT, 2, 4, 0, 0, 0, 0)::floats);
    assertThrows(BadInputException.class, packed(ElementType.INT64, 1, 7, 1, 2)::longs);
    assertThrows(BadInputException.class, stored(ElementType.FLOAT, 2, _ -> {})::data);
    assertThrows(IllegalArgumentException.class, () -> Initializer.floats("w", new float[5], 2, 3));
  }

  @Test
  void wrongTypeIsRefusedWithTheName() {
    Initializer ids = Initializer.longs("ids", new long[] {1}, 1);
    String message = assertThrows(BadInputException.class, ids::floats).getMessage();
    assertTrue(message.startsWith("tensor ids has type INT64"), message);
    assertThrows(BadInputException.class, Initializer.floats("f", new float[1], 1)::longs);
    assertThrows(BadInputException.class, packed(ElementType.STRING, 1, 6, 'a')::data);
  }

  @Test
  void renamedTensorHasTheSameElements() {
    Initializer tensor = Initializer.floats("a", new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    Initializer renamed = tensor.withName("b");
    assertEquals("b", renamed.name());
    assertArrayEquals(new long[] {2, 3}, renamed.dims());
    assertArrayEquals(tensor.floats(), renamed.floats());
    tensor.dims()[0] = 7;
    assertArrayEquals(new long[] {2, 3}, tensor.dims());
    assertTrue(tensor.data().isReadOnly());
  }

  @Test
  void factoriesCopyTheirValues() {
    float[] values = {1, 2};
    Initializer tensor = Initializer.floats("a", values, 2);
    values[0] = 9;
    assertArrayEquals(new float[] {1, 2}, tensor.floats());
    assertArrayEquals(new long[] {4}, Initializer.longs("l", new long[] {4}).longs());
    assertEquals(0, Initializer.longs("l", new long[] {4}).dims().length);
  }
}
