package dev.sidefade.train;

import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Closer;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The backbone as a teacher of itself: a running mean of all that learns in it says what it makes
 * of the examples as they are, whatever is hidden from the student ("mean teacher", Tarvainen and
 * Valpola 2017). It begins to speak when the student has learned something.
 */
public final class SelfTeacher implements AutoCloseable {
  private final Closer own = new Closer();
  private final BackboneTail tail;
  private final FeatureSource source;
  private final Device device;
  private final long from;
  private final RunningMean mean;

  /** Features and flags of a batch on a device beside the host; one element each on the host. */
  private final Tensor nearLast;

  private final Tensor nearFlags;

  /**
   * Allocates the mean and the memory of the largest batch.
   *
   * @param tail norm and head, and everything that learns inside the backbone
   * @param source features with the present constants, of which nothing is kept
   * @param device where tensors live and what computes
   * @param decay of the mean
   * @param from number of the first batch on which it speaks, from 0
   * @param rows largest batch
   */
  public SelfTeacher(
      BackboneTail tail, FeatureSource source, Device device, float decay, long from, int rows) {
    this.tail = tail;
    this.source = source;
    this.device = device;
    this.from = from;
    long logits = Math.multiplyExact((long) tail.logitRows(rows), tail.config().classes());
    long features = device.onHost() ? 1 : tail.rows(rows);
    mean = own.make(() -> new RunningMean(device, tail.parameters(), decay, logits));
    nearLast = own.make(() -> device.allocate(Math.multiplyExact(features, tail.config().width())));
    nearFlags = own.make(() -> device.allocate(features));
  }

  /** The mean, for checkpoints and to move it after each step. */
  RunningMean mean() {
    return mean;
  }

  /**
   * What the mean says of a batch.
   *
   * @param batch with nothing hidden
   * @param memory of the source's outputs for this batch; overwritten
   * @param number of the batch in the training, from 0
   * @return logits on the device, valid until the next call; null before it speaks
   */
  @Nullable Tensor speak(ExampleSet.Loaded batch, List<Tensor> memory, long number) {
    if (number < from) {
      return null;
    }
    if (number == from) {
      // what it followed until now was no training to speak of
      mean.restart();
    }
    int count = batch.examples().length;
    return mean.speak(() -> {
      source.run(batch.inputs(), count, memory);
      TrunkFeatures features = near(TrunkFeatures.of(source, 0, memory, batch.valid()));
      return tail.forward(device.kernels(), features, count);
    });
  }

  /** What the tail reads, on the device. */
  private TrunkFeatures near(TrunkFeatures host) {
    if (device.onHost()) {
      return host;
    }
    Tensor flags = host.lastValid();
    return new TrunkFeatures(
        List.of(),
        copied(host.last(), nearLast),
        host.tokens(),
        null,
        flags == null ? null : copied(flags, nearFlags));
  }

  private static Tensor copied(Tensor host, Tensor place) {
    Shape shape = host.shape();
    Tensor copy = place.slice(0, shape.toArray());
    copy.copyFrom(host);
    return copy;
  }

  @Override
  public void close() {
    own.close();
  }
}
