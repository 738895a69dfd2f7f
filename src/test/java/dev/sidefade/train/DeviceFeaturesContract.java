package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.Golden;
import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.data.Augmentation;
import dev.sidefade.data.ImageSpec;
import dev.sidefade.data.Resizing;
import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a backbone that computes on the device that trains must deliver: the host's features. */
public interface DeviceFeaturesContract {
  /** Opens a device whose tensors are not on the host; the test closes it. */
  Device open();

  private static Backbone backbone() throws IOException {
    return Backbone.load(Golden.model("vit_timm_dynamo20.onnx"));
  }

  private static ExampleSet examples(Backbone backbone) {
    Preprocessing p = backbone.preprocessing();
    ImageSpec spec =
        new ImageSpec(p.channels(), p.height(), p.width(), p.mean(), p.std(), Resizing.STRETCHED);
    return new ImageExamples(
        new NoiseImages(11, 3, 1), spec, Augmentation.NONE, 5, backbone.inputName());
  }

  /** Stands in for a trunk that is bound to the device: computes beside it, writes in its order. */
  record Beside(Trunk trunk) implements FeatureSource {
    @Override
    public List<TrunkOutput> outputs() {
      return trunk.outputs();
    }

    @Override
    public int finalInput() {
      return trunk.finalInput();
    }

    @Override
    public boolean onDevice() {
      return true;
    }

    @Override
    public void run(Map<String, Tensor> inputs, long batch, List<Tensor> results) {
      try (Arena arena = Arena.ofConfined()) {
        List<Tensor> host = new ArrayList<>();
        for (Tensor result : results) {
          assertFalse(result.onHost());
          Shape shape = Shape.of(result.shape().toArray());
          host.add(Tensor.wrap(arena.allocate(result.bytes(), 64), shape, DType.F32));
        }
        trunk.run(inputs, batch, host);
        for (int i = 0; i < host.size(); i++) {
          results.get(i).copyFrom(host.get(i));
        }
      }
    }
  }

  @Test
  default void featuresStayOnTheDeviceAsTheyAre() throws IOException {
    try (Backbone backbone = backbone();
        Device device = open()) {
      // the last tap enters the last norm, or something else does
      for (List<Integer> taps : List.of(List.of(0, 1, 2), List.of(1), List.<Integer>of())) {
        FeatureSource host = FeatureSource.of(backbone.openTrunk(1, taps));
        FeatureSource near = new Beside(backbone.openTrunk(1, taps));
        ExampleSet examples = examples(backbone);
        try (FeatureUploads uploads = new FeatureUploads(device);
            LiveFeatures first = new LiveFeatures(examples, host, taps.size(), 4, device);
            LiveFeatures second = new LiveFeatures(examples, near, taps.size(), 4, device)) {
          int[] order = {7, 0, 10, 3, 3, 9, 1, 7, 2};
          List<float[]> expected = epoch(uploads.of(first), order);
          assertEquals((taps.size() + 1) * 3, expected.size());
          assertSame(expected, epoch(uploads.of(second), order));
          // what was computed on the device is not copied, what was not is
          second.start(1, order, 4);
          TrunkFeatures raw = second.next().features();
          assertEquals(raw.taps(), uploads.of(raw).taps());
          PairedFeatures paired = new PairedFeatures(second, first);
          assertSame(expected, epoch(uploads.of(paired), order));
        }
      }
    }
  }

  private static List<float[]> epoch(FeatureFeed feed, int[] order) {
    List<float[]> all = new ArrayList<>();
    feed.start(1, order, 4);
    for (int done = 0; done < order.length; ) {
      FeatureFeed.Batch batch = feed.next();
      for (Tensor tap : batch.features().taps()) {
        assertFalse(tap.onHost());
        all.add(tap.toFloats());
      }
      assertFalse(batch.features().last().onHost());
      all.add(batch.features().last().toFloats());
      done += batch.size();
    }
    return all;
  }

  private static void assertSame(List<float[]> expected, List<float[]> actual) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.get(i), "features " + i);
    }
  }

  @Test
  default void aCacheWantsThemOnTheHost(@TempDir Path folder) throws IOException {
    try (Backbone backbone = backbone();
        Device device = open();
        LiveFeatures live =
            new LiveFeatures(examples(backbone), new Beside(backbone.openTrunk(1)), 3, 4, device)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> FeatureCache.fill(live, 3, 4, device, Long.MAX_VALUE, folder, done -> {}));
    }
  }
}
