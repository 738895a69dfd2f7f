package dev.sidefade.train;

import dev.sidefade.kernels.Kernels;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.text.LengthBuckets;
import dev.sidefade.text.TextBatch;
import dev.sidefade.text.TextExamples;
import dev.sidefade.text.TextInput;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Texts, tokenised.
 *
 * @param examples the examples
 * @param task what is learned
 * @param inputs what the backbone calls its inputs, each with the type of its elements
 */
public record TextSet(TextExamples examples, Task task, Map<String, DType> inputs)
    implements ExampleSet {
  /** Copies the inputs and keeps their order. */
  public TextSet {
    inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
  }

  @Override
  public int size() {
    return examples.size();
  }

  @Override
  public boolean labelled(int example) {
    return examples.isLabelled(example);
  }

  @Override
  public int tokens(int example) {
    return examples.length(example);
  }

  @Override
  public int paddedTokens(int longest) {
    return LengthBuckets.paddedLength(longest, examples.maxLength());
  }

  /** By length, so that little is padded. */
  @Override
  public int[] walk() {
    return IntStream.range(0, size())
        .boxed()
        .sorted(Comparator.comparingInt(examples::length))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  @Override
  public Targets targets(int[] batch, int tokens) {
    return switch (task) {
      case CLASSES -> Targets.classes(Arrays.stream(batch).map(examples::label).toArray());
      case TOKENS -> Targets.classes(tokenLabels(batch, tokens));
      case REGRESSION -> {
        float[] values = new float[batch.length];
        for (int i = 0; i < values.length; i++) {
          values[i] = examples.target(batch[i]);
        }
        yield Targets.values(values);
      }
    };
  }

  private int[] tokenLabels(int[] batch, int tokens) {
    int[] labels = TextBatch.tokenLabels(examples, batch, tokens);
    for (int i = 0; i < batch.length; i++) {
      int length = examples.length(batch[i]);
      Arrays.fill(labels, i * tokens + length, (i + 1) * tokens, Kernels.PADDING);
    }
    return labels;
  }

  @Override
  public Loader load(long epoch, int[] order, int rows) {
    return new TextLoader(order, rows);
  }

  /** Fills one memory for all batches. */
  private final class TextLoader implements Loader {
    private final Arena arena = Arena.ofShared();
    private final Map<String, Tensor> memory = new LinkedHashMap<>();
    private final Tensor valid;
    private final int[] order;
    private final int rows;
    private int position;

    TextLoader(int[] order, int rows) {
      this.order = order;
      this.rows = rows;
      int longest = Arrays.stream(order).map(examples::length).max().orElse(1);
      Shape largest = Shape.of((long) rows * paddedTokens(longest));
      inputs.forEach((name, type) -> memory.put(name, tensor(largest, type)));
      valid = tensor(largest, DType.F32);
    }

    private Tensor tensor(Shape shape, DType dtype) {
      long bytes = Math.multiplyExact(shape.size(), dtype.bytes());
      return Tensor.wrap(arena.allocate(bytes, 64), shape, dtype);
    }

    @Override
    public Loaded next() {
      int count = Math.min(rows, order.length - position);
      if (count <= 0) {
        throw new IllegalStateException("the epoch has no more batches");
      }
      int[] batch = Arrays.copyOfRange(order, position, position + count);
      position += count;
      int tokens = TextBatch.tokens(examples, batch);
      Map<String, Tensor> filled = new LinkedHashMap<>();
      memory.forEach((name, all) -> {
        Tensor input = all.slice(0, count, tokens);
        TextBatch.fill(examples, batch, TextInput.named(name), input);
        filled.put(name, input);
      });
      Tensor mask = valid.slice(0, (long) count * tokens);
      TextBatch.fillValid(examples, batch, mask);
      return new Loaded(filled, batch, tokens, mask);
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
