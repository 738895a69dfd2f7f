package dev.sidefade.train;

import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The features of another feed as a backbone on the device would deliver them: in tensors of the
 * device, the same for every batch, which are written in the order of its operations.
 */
final class ResidentFeed implements FeatureFeed {
  private final FeatureFeed feed;
  private final Device device;
  private final List<Tensor> places = new ArrayList<>();

  ResidentFeed(FeatureFeed feed, Device device) {
    this.feed = feed;
    this.device = device;
  }

  @Override
  public int size() {
    return feed.size();
  }

  @Override
  public int[] walk() {
    return feed.walk();
  }

  @Override
  public void start(long epoch, int[] order, int rows) {
    feed.start(epoch, order, rows);
  }

  @Override
  public Batch next() {
    Batch batch = feed.next();
    TrunkFeatures host = batch.features();
    List<Tensor> taps = new ArrayList<>();
    for (int i = 0; i < host.taps().size(); i++) {
      taps.add(written(i, host.taps().get(i)));
    }
    int last = host.taps().indexOf(host.last());
    return new Batch(
        new TrunkFeatures(taps, taps.get(last), host.tokens(), host.valid(), host.lastValid()),
        batch.examples(),
        batch.targets());
  }

  private Tensor written(int place, Tensor values) {
    if (place == places.size()) {
      // the first batch is the largest
      places.add(device.allocate(values.size()));
    }
    Tensor target = places.get(place).slice(0, values.shape().toArray());
    target.copyFrom(values);
    return target;
  }

  @Override
  public void close() {
    places.forEach(Tensor::close);
    places.clear();
  }
}
