package dev.sidefade.train;

import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.data.Augmentation;
import dev.sidefade.data.BatchLoader;
import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSpec;
import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Decodes images ahead and runs the trunk on every batch: for augmented images, and to fill a
 * cache.
 */
public final class LiveFeatures implements FeatureFeed {
  private final ImageSource images;
  private final ImageSpec spec;
  private final Augmentation augmentation;
  private final long seed;
  private final Trunk trunk;
  private final int taps;
  private final List<Tensor> outputs = new ArrayList<>();
  private BatchLoader loader;

  /**
   * @param trunk its first {@code taps} outputs are the taps of the side network
   * @param batch largest batch
   */
  public LiveFeatures(
      ImageSource images,
      ImageSpec spec,
      Augmentation augmentation,
      long seed,
      Trunk trunk,
      int taps,
      int batch,
      Device device) {
    this.images = images;
    this.spec = spec;
    this.augmentation = augmentation;
    this.seed = seed;
    this.trunk = trunk;
    this.taps = taps;
    for (TrunkOutput output : trunk.outputs()) {
      outputs.add(device.allocate(output.shape(batch)));
    }
  }

  /** The outputs of the trunk for the last batch, in its own shapes. */
  List<Tensor> outputs(int batch) {
    List<Tensor> views = new ArrayList<>();
    for (int i = 0; i < outputs.size(); i++) {
      views.add(outputs.get(i).slice(0, trunk.outputs().get(i).shape(batch)));
    }
    return views;
  }

  @Override
  public int size() {
    return images.size();
  }

  @Override
  public int label(int example) {
    return images.label(example);
  }

  @Override
  public void start(long epoch, int[] order, int rows) {
    closeLoader();
    loader = new BatchLoader(images, spec, augmentation, seed, epoch, order, rows);
  }

  @Override
  public Batch next() {
    BatchLoader.Batch batch =
        loader.next().orElseThrow(() -> new IllegalStateException("the epoch has no more batches"));
    List<Tensor> views = outputs(batch.size());
    trunk.run(batch.images(), batch.size(), views);
    return new Batch(TrunkFeatures.of(trunk, taps, views), batch.indices(), batch.labels());
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
    outputs.forEach(Tensor::close);
    outputs.clear();
  }
}
