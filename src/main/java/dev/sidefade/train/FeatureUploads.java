package dev.sidefade.train;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Upload;
import dev.sidefade.tensor.Closer;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Brings batches of features onto a device, one while the operations on the batch before are still
 * running: there is room for two. All feeds of a training share that room, so the batch before the
 * last one of any of them is gone. Features that were computed on the device stay where they are.
 */
public final class FeatureUploads implements AutoCloseable {
  private final Closer own = new Closer();
  private final Device device;
  private final Room[] rooms;
  private int turn;

  /**
   * Nothing is allocated before the first batch, and nothing at all where the host computes.
   *
   * @param device where they are wanted
   */
  public FeatureUploads(Device device) {
    this.device = device;
    rooms = new Room[device.onHost() ? 0 : 2];
    for (int i = 0; i < rooms.length; i++) {
      rooms[i] = own.make(() -> new Room(device));
    }
  }

  /**
   * {@return the batches of {@code feed} with features on the device; the feed itself on the host}
   *
   * @param feed delivers features on the host
   */
  public FeatureFeed of(FeatureFeed feed) {
    return device.onHost() ? feed : new Uploaded(feed, this);
  }

  private FeatureFeed.Batch next(FeatureFeed feed) {
    nextRoom();
    FeatureFeed.Batch batch = feed.next();
    return new FeatureFeed.Batch(
        rooms[turn].take(batch.features()), batch.examples(), batch.targets(), batch.said());
  }

  /**
   * {@return one batch on the device; itself on the host} It stays on the host as it is until the
   * next.
   *
   * @param features on the host
   */
  public TrunkFeatures of(TrunkFeatures features) {
    if (device.onHost()) {
      return features;
    }
    nextRoom();
    return rooms[turn].take(features);
  }

  private void nextRoom() {
    // operations on the last batch were all called by now
    rooms[turn].upload.used();
    // the feed may use the memory again from which it was copied
    rooms[turn].upload.await();
    turn = 1 - turn;
  }

  @Override
  public void close() {
    own.close();
  }

  private record Uploaded(FeatureFeed feed, FeatureUploads uploads) implements FeatureFeed {
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
      return uploads.next(feed);
    }

    @Override
    public void close() {
      feed.close();
    }
  }

  /** Device memory of one batch. */
  private static final class Room implements AutoCloseable {
    private final Device device;
    private final Upload upload;
    private final List<Tensor> places = new ArrayList<>();

    /** The flags of tokens come from memory that copies are slow from: those of taps and end. */
    private final @Nullable Tensor[] staged = new Tensor[2];

    Room(Device device) {
      this.device = device;
      upload = device.upload();
    }

    TrunkFeatures take(TrunkFeatures host) {
      List<Tensor> all = new ArrayList<>(host.taps());
      // often the last tap itself
      int last = all.indexOf(host.last());
      if (last < 0) {
        last = all.size();
        all.add(host.last());
      }
      int flags = all.size();
      int lastFlags = flags;
      if (host.valid() != null) {
        all.add(staged(0, host.valid()));
      }
      if (host.lastValid() != null && host.lastValid() != host.valid()) {
        lastFlags = all.size();
        all.add(staged(1, host.lastValid()));
      }
      List<Tensor> copies = uploaded(all);
      return new TrunkFeatures(
          List.copyOf(copies.subList(0, host.taps().size())),
          copies.get(last),
          host.tokens(),
          host.valid() == null ? null : copies.get(flags),
          host.lastValid() == null ? null : copies.get(lastFlags));
    }

    /** Copies of what is on the host, and the others themselves. */
    private List<Tensor> uploaded(List<Tensor> all) {
      makeRoom(all.stream().filter(Tensor::onHost).toList());
      upload.begin();
      List<Tensor> copies = new ArrayList<>();
      int place = 0;
      for (Tensor tensor : all) {
        if (tensor.onHost()) {
          Tensor target = places.get(place++).slice(0, tensor.shape().toArray());
          upload.copy(tensor, target);
          copies.add(target);
        } else {
          copies.add(tensor);
        }
      }
      upload.end();
      return copies;
    }

    private void makeRoom(List<Tensor> all) {
      boolean grown = false;
      for (int i = 0; i < all.size(); i++) {
        long size = all.get(i).size();
        if (i == places.size()) {
          places.add(device.allocate(size));
          grown = true;
        } else if (places.get(i).size() < size) {
          long larger = Math.max(size, places.get(i).size() * 3 / 2);
          // taken out first: it must not be closed again where there is no room for a larger one
          places.remove(i).close();
          places.add(i, device.allocate(larger));
          grown = true;
        }
      }
      if (grown) {
        // new memory is there, and zero, in the order of the operations
        upload.used();
      }
    }

    private Tensor staged(int which, Tensor valid) {
      Tensor place = staged[which];
      if (place == null || place.size() < valid.size()) {
        closeStaged(which);
        place = device.allocateHost(DType.F32, Shape.of(valid.size() * 3 / 2));
        staged[which] = place;
      }
      Tensor copy = place.slice(0, valid.shape().toArray());
      copy.copyFrom(valid);
      return copy;
    }

    private void closeStaged(int which) {
      Tensor place = staged[which];
      staged[which] = null;
      if (place != null) {
        place.close();
      }
    }

    @Override
    public void close() {
      upload.close();
      closeStaged(0);
      closeStaged(1);
      places.forEach(Tensor::close);
      places.clear();
    }
  }
}
