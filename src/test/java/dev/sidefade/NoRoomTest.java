package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.distill.Direction;
import dev.sidefade.kernels.Device;
import dev.sidefade.train.KlRows;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An adaptation on a device whose memory is used up, once at each of its allocations: whoever
 * embeds it may try again with less, so nothing may stay behind.
 */
class NoRoomTest {
  @TempDir Path folder;

  /** A backbone that teaches itself beside a side network, and words that are hidden. */
  @Test
  void aBackboneThatTeachesItself() throws IOException {
    check(QuickRuns.texts(folder, "cpu").epochs(1));
  }

  /** A mean of the side network teaches rows that are chosen; features teach both ways. */
  @Test
  void aSideNetworkThatTeaches() throws IOException {
    AdaptConfig.Builder config = QuickRuns.texts(folder, "cpu").epochs(1);
    config.teacher(TeacherKind.SIDE).teacherAverage(0.9).tokenDropout(0).klRows(KlRows.SURE);
    check(config.features(Direction.SIDE_TO_BACKBONE));
  }

  /** Everything from a cache. */
  @Test
  void aHeadAlone() throws IOException {
    AdaptConfig.Builder config = QuickRuns.texts(folder, "cpu").epochs(1).tokenDropout(0);
    check(config.teacher(TeacherKind.SIDE).tune(Tune.HEAD).features(Direction.BACKBONE_TO_SIDE));
  }

  private void check(AdaptConfig.Builder config) throws IOException {
    int all = run(config, Integer.MAX_VALUE);
    assertTrue(all > 20, all + " allocations");
    for (int room = 0; room < all; room++) {
      int some = room;
      assertThrows(ScarceDevice.NoRoom.class, () -> run(config, some), "after " + some);
    }
  }

  /** Returns the number of allocations. */
  private int run(AdaptConfig.Builder config, int room) throws IOException {
    ScarceDevice device = new ScarceDevice(Device.cpu(1), room);
    AdaptConfig now = config.out(folder.resolve("out-" + room)).build();
    try (Adaptation adaptation = new Adaptation(now, ProgressListener.SILENT, () -> device)) {
      adaptation.run(Duration.ZERO);
    } finally {
      assertEquals(0, device.openAtTheEnd(), "tensors that stay, of " + room);
    }
    return device.allocations();
  }
}
