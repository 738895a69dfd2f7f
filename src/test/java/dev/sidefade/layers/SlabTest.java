package dev.sidefade.layers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What is measured is what is taken. */
class SlabTest {
  @Test
  void piecesAreAlignedAndDoNotOverlap() {
    Random random = new Random(1);
    try (Device device = Device.cpu(1)) {
      for (int round = 0; round < 20; round++) {
        long[] sizes = random.longs(1 + random.nextInt(8), 1, 50).toArray();
        Consumer<Slab> plan =
            slab -> {
              for (long size : sizes) {
                slab.take(size);
              }
            };
        try (Tensor memory = device.allocate(Slab.measure(plan))) {
          Slab slab = new Slab(memory);
          long end = memory.address();
          for (long size : sizes) {
            Tensor piece = slab.take(size);
            assertEquals(size, piece.size());
            assertEquals(0, piece.address() % 64);
            assertTrue(piece.address() >= end, "pieces overlap");
            end = piece.address() + piece.bytes();
          }
          assertTrue(end <= memory.address() + memory.bytes());
          assertThrows(IllegalArgumentException.class, () -> slab.take(1));
        }
      }
    }
  }

  @Test
  void measuringHandsOutNothing() {
    assertEquals(32, Slab.measure(slab -> assertNull(slab.take(17))));
    assertEquals(0, Slab.measure(slab -> {}));
    assertThrows(
        ArithmeticException.class,
        () -> Slab.measure(slab -> slab.take(Long.MAX_VALUE / 2, Long.MAX_VALUE / 2)));
  }

  @Test
  void layersTakeExactlyWhatTheyMeasure() {
    TokenLayout layout = new TokenLayout(3, 5, 1, 2, 2);
    Parameters p = new Parameters();
    TransformerBlock block = new TransformerBlock(p, "t.", 12, 3, 7, 1e-6f);
    AdapterBlock adapter = new AdapterBlock(p, "a.", "norm", 5, 3, 1e-6f);
    ReadOut readOut =
        new ReadOut(
            p,
            Parameter.Role.NORM,
            Parameter.Role.HEAD,
            5,
            Pooling.CLS_MEAN,
            3,
            1e-6f,
            true,
            Initializer.constant(1),
            Initializer.constant(0));
    List<Consumer<Slab>> plans =
        List.of(
            slab -> block.state(slab, layout),
            slab -> block.scratch(slab, layout),
            slab -> adapter.state(slab, layout.rows()),
            slab -> readOut.state(slab, layout));
    try (Device device = Device.cpu(1)) {
      for (Consumer<Slab> plan : plans) {
        long floats = Slab.measure(plan);
        try (Tensor enough = device.allocate(floats);
            Tensor little = device.allocate(floats - 16)) {
          plan.accept(new Slab(enough));
          assertThrows(IllegalArgumentException.class, () -> plan.accept(new Slab(little)));
        }
      }
    }
  }
}
