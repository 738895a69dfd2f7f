package dev.sidefade.text;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongFunction;

/**
 * Examples padded to one length, in host memory that belongs to the caller.
 *
 * @param indices [batch] the examples
 * @param tokens length that all are padded to
 * @param inputs I64 or I32 [batch, tokens] under each name that the model wants
 * @param valid F32 [batch * tokens]: 1 for tokens, 0 for padding
 */
public record TextBatch(int[] indices, int tokens, Map<String, Tensor> inputs, Tensor valid) {

  /** Copies the map and keeps its order. */
  public TextBatch {
    inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
  }

  /**
   * Pads examples to {@link LengthBuckets#paddedLength} of the longest.
   *
   * @param examples the examples
   * @param indices the examples, at least one
   * @param types of the elements under the model's names, see {@link TextInput#named}
   * @param allocator gives native memory of as many bytes, aligned to 8, that lives as long as the
   *     batch is used; it is called once for every name and once for {@code valid}
   * @return the batch
   */
  public static TextBatch of(
      TextExamples examples,
      int[] indices,
      Map<String, DType> types,
      LongFunction<MemorySegment> allocator) {
    int tokens = tokens(examples, indices);
    Shape shape = Shape.of(indices.length, tokens);
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    types.forEach((name, type) -> {
      Tensor input = allocate(allocator, shape, type);
      fill(examples, indices, TextInput.named(name), input);
      inputs.put(name, input);
    });
    Tensor valid = allocate(allocator, Shape.of(shape.size()), DType.F32);
    fillValid(examples, indices, valid);
    return new TextBatch(indices.clone(), tokens, inputs, valid);
  }

  /** {@return number of examples} */
  public int size() {
    return indices.length;
  }

  /**
   * {@return the length that these examples are padded to}
   *
   * @param examples the examples
   * @param indices numbers of the examples, from 0
   */
  public static int tokens(TextExamples examples, int[] indices) {
    int longest =
        Arrays.stream(indices)
            .map(examples::length)
            .max()
            .orElseThrow(() -> new IllegalArgumentException("a batch of no examples"));
    return LengthBuckets.paddedLength(longest, examples.maxLength());
  }

  /**
   * Writes one input of a model.
   *
   * @param examples the examples
   * @param indices numbers of the examples, from 0
   * @param input which input
   * @param target I64 or I32 [batch, tokens] on the host; {@code batch} as many as indices, {@code
   *     tokens} at least the length of the longest example
   */
  public static void fill(TextExamples examples, int[] indices, TextInput input, Tensor target) {
    DType integers = target.dtype() == DType.I32 ? DType.I32 : DType.I64;
    int tokens = requireRoom(examples, indices, target, integers);
    TokenStore store = examples.store();
    long padding = input == TextInput.IDS ? examples.padId() : 0;
    MemorySegment segment = target.segment();
    long at = 0;
    for (int i : indices) {
      int length = store.length(i);
      for (int t = 0; t < tokens; t++) {
        boolean padded = t >= length && input != TextInput.POSITIONS;
        long value = padded ? padding : value(store, input, i, t);
        if (target.dtype() == DType.I32) {
          segment.setAtIndex(ValueLayout.JAVA_INT, at++, (int) value);
        } else {
          segment.setAtIndex(ValueLayout.JAVA_LONG, at++, value);
        }
      }
    }
  }

  /**
   * Writes 1 for every token and 0 for padding.
   *
   * @param examples the examples
   * @param indices numbers of the examples, from 0
   * @param target F32 of batch * tokens elements on the host
   */
  public static void fillValid(TextExamples examples, int[] indices, Tensor target) {
    int tokens = requireRoom(examples, indices, target, DType.F32);
    MemorySegment segment = target.segment();
    long at = 0;
    for (int i : indices) {
      int length = examples.length(i);
      for (int t = 0; t < tokens; t++) {
        segment.setAtIndex(ValueLayout.JAVA_FLOAT, at++, t < length ? 1f : 0f);
      }
    }
  }

  /**
   * {@return class of every token, [batch * tokens]; -1 for padding and tokens that do not count}
   *
   * @param examples the examples
   * @param indices numbers of the examples, from 0
   * @param tokens number of tokens that every example is padded to
   */
  public static int[] tokenLabels(TextExamples examples, int[] indices, int tokens) {
    TokenStore store = examples.store();
    int[] labels = new int[Math.multiplyExact(indices.length, tokens)];
    Arrays.fill(labels, -1);
    for (int k = 0; k < indices.length; k++) {
      for (int t = 0; t < store.length(indices[k]); t++) {
        labels[k * tokens + t] = store.label(indices[k], t);
      }
    }
    return labels;
  }

  private static long value(TokenStore store, TextInput input, int i, int token) {
    return switch (input) {
      case IDS -> store.id(i, token);
      case MASK -> 1;
      case TYPE_IDS -> store.typeId(i, token);
      case POSITIONS -> token;
    };
  }

  /** The number of tokens of a row. */
  private static int requireRoom(TextExamples examples, int[] indices, Tensor target, DType dtype) {
    int longest = Arrays.stream(indices).map(examples::length).max().orElse(0);
    long tokens = indices.length == 0 ? 0 : target.size() / indices.length;
    if (target.dtype() != dtype
        || tokens * indices.length != target.size()
        || tokens < longest
        || tokens > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          target
              + " cannot take "
              + indices.length
              + " texts of up to "
              + longest
              + " tokens as "
              + dtype);
    }
    return (int) tokens;
  }

  private static Tensor allocate(LongFunction<MemorySegment> allocator, Shape shape, DType dtype) {
    long bytes = Math.multiplyExact(shape.size(), dtype.bytes());
    return Tensor.wrap(allocator.apply(bytes), shape, dtype);
  }
}
