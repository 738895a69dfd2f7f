package dev.sidefade.train;

import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Closer;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Runs the backbone on every batch: where its constants learn, for augmented images, and to fill a
 * cache. Features are on the host, unless the source computes on the device: then they stay there.
 */
public final class LiveFeatures implements FeatureFeed {
  private final Closer own = new Closer();
  private final ExampleSet examples;
  private final FeatureSource source;
  private final int taps;
  private final List<Tensor> outputs = new ArrayList<>();
  private final Optional<TokenDropout> dropout;
  private final Optional<SelfTeacher> teacher;
  private ExampleSet.@Nullable Loader loader;

  /** Number of the next batch in the training. */
  private long number;

  /**
   * Features of examples as they are.
   *
   * @param examples the examples
   * @param source its first {@code taps} outputs are the taps of the side network
   * @param taps number of taps
   * @param batch largest batch
   * @param device where tensors live and what computes
   */
  public LiveFeatures(
      ExampleSet examples, FeatureSource source, int taps, int batch, Device device) {
    this(examples, source, taps, batch, device, Optional.empty(), Optional.empty());
  }

  /**
   * Allocates the memory of the largest batch.
   *
   * @param examples the examples
   * @param source its first {@code taps} outputs are the taps of the side network
   * @param taps number of taps
   * @param batch largest batch
   * @param device where tensors live and what computes
   * @param dropout hides tokens from the source
   * @param teacher speaks of the examples before anything is hidden; closed by its owner
   */
  public LiveFeatures(
      ExampleSet examples,
      FeatureSource source,
      int taps,
      int batch,
      Device device,
      Optional<TokenDropout> dropout,
      Optional<SelfTeacher> teacher) {
    this.dropout = dropout;
    this.teacher = teacher;
    this.examples = examples;
    this.source = source;
    this.taps = taps;
    int tokens = examples.paddedTokens(examples.longest());
    for (TrunkOutput output : source.outputs()) {
      Shape shape = Shape.of(output.shape(batch, tokens));
      outputs.add(
          own.make(() ->
              source.onDevice()
                  ? device.allocate(DType.F32, shape)
                  : device.allocateHost(DType.F32, shape)));
    }
  }

  ExampleSet examples() {
    return examples;
  }

  FeatureSource source() {
    return source;
  }

  /** Memory of the outputs for a batch, in the backbone's own shapes. */
  List<Tensor> outputs(int batch, int tokens) {
    List<Tensor> views = new ArrayList<>();
    for (int i = 0; i < outputs.size(); i++) {
      views.add(outputs.get(i).slice(0, source.outputs().get(i).shape(batch, tokens)));
    }
    return views;
  }

  @Override
  public int size() {
    return examples.size();
  }

  @Override
  public int[] walk() {
    return examples.walk();
  }

  @Override
  public void start(long epoch, int[] order, int rows) {
    closeLoader();
    loader = examples.load(epoch, order, rows);
    number = epoch * Math.ceilDiv(order.length, rows);
  }

  @Override
  public Batch next() {
    ExampleSet.Loaded batch = Objects.requireNonNull(loader, "start comes first").next();
    int count = batch.examples().length;
    List<Tensor> views = outputs(count, batch.tokens());
    Tensor said = teacher.isPresent() ? teacher.get().speak(batch, views, number) : null;
    if (dropout.isPresent()) {
      dropout.get().hide(batch, number);
    }
    number++;
    source.run(batch.inputs(), count, views);
    TrunkFeatures features = TrunkFeatures.of(source, taps, views, batch.valid());
    Targets targets = examples.targets(batch.examples(), batch.tokens());
    return new Batch(features, batch.examples(), targets, said);
  }

  private void closeLoader() {
    if (loader != null) {
      loader.close();
      loader = null;
    }
  }

  @Override
  public void close() {
    closeLoader();
    own.close();
  }
}
