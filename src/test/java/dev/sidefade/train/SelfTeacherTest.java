package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.GradientMemory;
import dev.sidefade.backbone.TunedTrunk;
import dev.sidefade.backbone.TunedTrunkSpec;
import dev.sidefade.backbone.Tuning;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a running mean of the backbone says to the backbone, and when. */
class SelfTeacherTest {
  private static final int BATCH = 5;
  private static final long FROM = 2;
  private static final int[] ORDER = {7, 0, 10, 3, 4, 22, 1, 9, 2, 15, 21, 8, 5, 6, 11, 12, 13, 14};
  private static final TokenDropout DROPOUT = new TokenDropout(0.4f, 3, true);

  private final Device device = Device.cpu(1);
  private Backbone backbone;
  private TextSet set;
  private TunedTrunk trunk;
  private InnerConstants inner;
  private BackboneTail tail;
  private SelfTeacher teacher;

  @BeforeEach
  void open() throws IOException {
    backbone = Backbone.load(MadeTexts.resource("/models/minilm_legacy11.onnx"));
    set =
        new TextSet(
            MadeTexts.examples(Task.CLASSES, 23, 4), Task.CLASSES, MadeTexts.inputs(backbone));
    trunk =
        TunedTrunk.open(
            backbone, new TunedTrunkSpec(1, List.of(), Tuning.lowRank(2), GradientMemory.STORED));
    inner = new InnerConstants(trunk);
    int width = backbone.finalNormScale().length;
    tail =
        new BackboneTail(
            new BackboneTail.Config(
                width,
                Pooling.MEAN,
                new TokenLayout(BATCH, set.paddedTokens(set.longest()), 0, 0, 0),
                3,
                1e-12f,
                true,
                backbone.finalNormScale(),
                backbone.finalNormBias()),
            device,
            1,
            inner::declare);
    teacher = new SelfTeacher(tail, inner.evaluation(), device, 0.75f, FROM, BATCH);
  }

  @AfterEach
  void close() {
    teacher.close();
    tail.close();
    trunk.close();
    backbone.close();
    device.close();
  }

  private LiveFeatures taught(Optional<TokenDropout> dropout) {
    return new LiveFeatures(set, inner.training(), 0, BATCH, device, dropout, Optional.of(teacher));
  }

  /** Logits of a batch with the present constants and nothing hidden. */
  private float[] plain(int number) {
    try (LiveFeatures live = new LiveFeatures(set, inner.evaluation(), 0, BATCH, device)) {
      live.start(0, ORDER, BATCH);
      for (int i = 0; i < number; i++) {
        live.next();
      }
      FeatureFeed.Batch batch = live.next();
      return tail.forward(device.kernels(), batch.features(), batch.size()).toFloats();
    }
  }

  /** Something that a step could have done. */
  private void move(float by) {
    Tensor values = tail.parameters().values();
    float[] moved = values.toFloats();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += by * (float) Math.sin(i);
    }
    values.setFloats(moved);
  }

  @Test
  void itSpeaksFromItsFirstBatchOnAsTheStudentIsThen() {
    move(0.05f);
    try (LiveFeatures live = taught(Optional.empty())) {
      live.start(0, ORDER, BATCH);
      assertNull(live.next().said());
      teacher.mean().follow(device.kernels());
      assertNull(live.next().said());
      move(0.05f);
      float[] present = tail.parameters().values().toFloats();
      assertArrayEquals(plain(2), live.next().said().toFloats());
      assertArrayEquals(present, teacher.mean().values().toFloats());
      assertArrayEquals(present, tail.parameters().values().toFloats());
    }
  }

  @Test
  void thenItsMeanSpeaks() {
    try (LiveFeatures live = taught(Optional.empty())) {
      live.start(0, ORDER, BATCH);
      live.next();
      live.next();
      live.next();
      float[] start = tail.parameters().values().toFloats();
      move(0.2f);
      float[] moved = tail.parameters().values().toFloats();
      teacher.mean().follow(device.kernels());
      float[] mean = teacher.mean().values().toFloats();
      for (int i = 0; i < mean.length; i++) {
        assertEquals(0.75 * start[i] + 0.25 * moved[i], mean[i], 1e-6);
      }
      float[] said = live.next().said().toFloats();
      assertArrayEquals(moved, tail.parameters().values().toFloats());
      assertFalse(Arrays.equals(plain(3), said));
      tail.parameters().values().setFloats(mean);
      assertArrayEquals(plain(3), said);
    }
  }

  @Test
  void whatIsHiddenFromTheStudentIsNotHiddenFromTheTeacher() {
    try (LiveFeatures live = taught(Optional.of(DROPOUT));
        LiveFeatures whole = taught(Optional.empty())) {
      live.start(0, ORDER, BATCH);
      whole.start(0, ORDER, BATCH);
      for (int i = 0; i < 3; i++) {
        FeatureFeed.Batch student = live.next();
        float[] hidden = student.features().last().toFloats();
        float[] flags = student.features().lastValid().toFloats();
        float[] said = student.said() == null ? null : student.said().toFloats();
        FeatureFeed.Batch all = whole.next();
        assertFalse(Arrays.equals(all.features().last().toFloats(), hidden));
        assertFalse(Arrays.equals(all.features().lastValid().toFloats(), flags));
        if (i == FROM) {
          assertArrayEquals(plain(i), said);
        }
      }
    }
  }

  @Test
  void theSideNetworkSeesAllTokens() {
    FeatureSource frozen = FeatureSource.of(backbone.openTrunk(1, List.of(0, 1)));
    try (LiveFeatures own = new LiveFeatures(set, frozen, 2, BATCH, device);
        LiveFeatures alone = new LiveFeatures(set, frozen, 2, BATCH, device);
        LiveFeatures learning = taught(Optional.of(DROPOUT))) {
      PairedFeatures paired = new PairedFeatures(own, learning);
      paired.start(0, ORDER, BATCH);
      alone.start(0, ORDER, BATCH);
      for (int i = 0; i < 3; i++) {
        FeatureFeed.Batch both = paired.next();
        TrunkFeatures expected = alone.next().features();
        assertArrayEquals(expected.valid().toFloats(), both.features().valid().toFloats());
        assertFalse(
            Arrays.equals(
                both.features().valid().toFloats(), both.features().lastValid().toFloats()));
        for (int tap = 0; tap < 2; tap++) {
          assertArrayEquals(
              expected.taps().get(tap).toFloats(), both.features().taps().get(tap).toFloats());
        }
        assertEquals(i >= FROM, both.said() != null);
      }
    }
  }

  /** The number of a batch goes on over epochs. */
  @Test
  void aLaterEpochGoesOn() {
    try (LiveFeatures live = taught(Optional.empty())) {
      live.start(1, ORDER, BATCH);
      assertFalse(live.next().said() == null);
      live.start(0, ORDER, BATCH);
      assertNull(live.next().said());
    }
  }
}
