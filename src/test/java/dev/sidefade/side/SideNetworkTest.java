package dev.sidefade.side;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import dev.sidefade.layers.Slab;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What masks do and do not do, and where the memory lies. */
class SideNetworkTest {
  private static final TokenLayout LAYOUT = new TokenLayout(3, 5, 1, 2, 2);
  private static final List<Integer> WIDTHS = List.of(9, 7, 11);

  static Stream<Arguments> variants() {
    return Stream.of(BlockKind.values())
        .flatMap(kind -> Stream.of(MaskPlacement.values()).map(p -> Arguments.of(kind, p)));
  }

  /** A network with memory, inputs and random values in every parameter. */
  private static final class Bench implements AutoCloseable {
    final Device device = Device.cpu(2);
    final Parameters parameters = new Parameters();
    final SideNetwork network;
    final List<Tensor> taps = new ArrayList<>();
    final Tensor keep = device.allocate(LAYOUT.rows());
    final Tensor dLogits;
    final Tensor memory;
    final SideActivations activations;

    Bench(BlockKind kind, MaskPlacement placement) {
      network =
          new SideNetwork(
              new SideConfig(kind, WIDTHS, 12, 2, 10, Pooling.CLS_MEAN, 4, 1e-6f, 0.1f, placement),
              parameters);
      parameters.allocate(device, 1);
      for (Parameter p : parameters.all()) {
        fill(p.value(), p.name().hashCode(), 0.3f);
      }
      for (int l = 0; l < WIDTHS.size(); l++) {
        taps.add(device.allocate(LAYOUT.rows(), WIDTHS.get(l)));
        fill(taps.get(l), l, 1);
      }
      dLogits = device.allocate(LAYOUT.batch(), 4);
      fill(dLogits, 20, 1);
      memory = device.allocate(Slab.measure(slab -> new SideActivations(network, LAYOUT, slab)));
      activations = new SideActivations(network, LAYOUT, new Slab(memory));
    }

    static void fill(Tensor t, long stream, float scale) {
      for (int i = 0; i < t.size(); i++) {
        t.set(i, scale * CounterRandom.normal(4, stream, i));
      }
    }

    /** Logits and all gradients. */
    float[][] run(Tensor mask) {
      // what a step leaves behind must not leak into the next
      for (int i = 0; i < memory.size(); i++) {
        memory.set(i, Float.NaN);
      }
      for (int i = 0; i < parameters.gradients().size(); i++) {
        parameters.gradients().set(i, 0);
      }
      network.forward(device.kernels(), taps, mask, null, activations);
      float[] logits = activations.logits().toFloats();
      network.backward(
          device.kernels(), taps, mask, null, activations, dLogits, SideNetwork.StateGradient.NONE);
      return new float[][] {logits, parameters.gradients().toFloats()};
    }

    @Override
    public void close() {
      taps.forEach(Tensor::close);
      keep.close();
      dLogits.close();
      memory.close();
      parameters.close();
      device.close();
    }
  }

  private static void assertSame(float[][] expected, float[][] actual) {
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], actual[i]);
    }
  }

  private static void assertFinite(float[][] values) {
    for (float[] some : values) {
      for (float v : some) {
        assertTrue(Float.isFinite(v));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("variants")
  void keepingEveryTokenIsNoMask(BlockKind kind, MaskPlacement placement) {
    try (Bench bench = new Bench(kind, placement)) {
      float[][] without = bench.run(null);
      assertFinite(without);
      float[] ones = new float[LAYOUT.rows()];
      Arrays.fill(ones, 1);
      bench.keep.setFloats(ones);
      assertSame(without, bench.run(bench.keep));
      ones[2] = 0;
      bench.keep.setFloats(ones);
      assertFalse(Arrays.equals(without[0], bench.run(bench.keep)[0]), "a mask has an effect");
    }
  }

  /**
   * INPUT: a masked token's features are not read, neither forward nor backward, but for the start.
   */
  @ParameterizedTest
  @EnumSource(BlockKind.class)
  void maskedInputsAreNotRead(BlockKind kind) {
    try (Bench bench = new Bench(kind, MaskPlacement.INPUT)) {
      float[] keep = new float[LAYOUT.rows()];
      Arrays.fill(keep, 1);
      keep[3] = 0;
      keep[12] = 0;
      bench.keep.setFloats(keep);
      float[][] clean = bench.run(bench.keep);
      for (int l = 1; l < WIDTHS.size(); l++) {
        for (int d = 0; d < WIDTHS.get(l); d++) {
          bench.taps.get(l).set(3L * WIDTHS.get(l) + d, Float.NaN);
          bench.taps.get(l).set(12L * WIDTHS.get(l) + d, Float.NaN);
        }
      }
      float[][] dirty = bench.run(bench.keep);
      assertFinite(dirty);
      assertSame(clean, dirty);
      bench.taps.getFirst().set(3L * WIDTHS.getFirst(), Float.NaN);
      assertTrue(Float.isNaN(bench.run(bench.keep)[0][0]), "the start is read everywhere");
    }
  }

  /** STATE with every token masked: only the last tap matters. */
  @Test
  void maskingTheWholeStateForgetsTheTapsBefore() {
    for (BlockKind kind : BlockKind.values()) {
      try (Bench bench = new Bench(kind, MaskPlacement.STATE)) {
        bench.keep.zero();
        float[][] before = bench.run(bench.keep);
        Bench.fill(bench.taps.get(0), 90, 2);
        Bench.fill(bench.taps.get(1), 91, 2);
        float[][] after = bench.run(bench.keep);
        assertArrayEquals(before[0], after[0]);
        for (String name : List.of("gates", "ladder.0.weight", "ladder.1.weight")) {
          for (float g : bench.parameters.get(name).gradient().toFloats()) {
            assertTrue(g == 0, () -> name + " learns though it is not used");
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("variants")
  void activationsTakeExactlyWhatTheyMeasure(BlockKind kind, MaskPlacement placement) {
    try (Bench bench = new Bench(kind, placement)) {
      for (int batch : new int[] {1, 2, 3}) {
        TokenLayout layout = LAYOUT.withBatch(batch);
        long floats = Slab.measure(slab -> new SideActivations(bench.network, layout, slab));
        assertTrue(batch == 3 ? floats == bench.memory.size() : floats < bench.memory.size());
        Tensor little = bench.memory.slice(0, floats - 16);
        new SideActivations(bench.network, layout, new Slab(bench.memory.slice(0, floats)));
        assertThrows(
            IllegalArgumentException.class,
            () -> new SideActivations(bench.network, layout, new Slab(little)));
      }
    }
  }

  /**
   * Every example is on its own: a smaller batch gives the same logits as the first rows of a
   * larger one.
   */
  @Test
  void smallerBatchesGiveTheSameLogits() {
    try (Bench bench = new Bench(BlockKind.TRANSFORMER, MaskPlacement.STATE)) {
      float[] all = bench.run(null)[0];
      TokenLayout one = LAYOUT.withBatch(1);
      List<Tensor> first = new ArrayList<>();
      for (int l = 0; l < WIDTHS.size(); l++) {
        first.add(bench.taps.get(l).slice(0, one.rows(), WIDTHS.get(l)));
      }
      SideActivations a = new SideActivations(bench.network, one, new Slab(bench.memory));
      bench.network.forward(bench.device.kernels(), first, null, null, a);
      float[] logits = a.logits().toFloats();
      for (int c = 0; c < logits.length; c++) {
        assertEquals(all[c], logits[c], 1e-6 + 1e-5 * Math.abs(all[c]));
      }
    }
  }

  @Test
  void tapsMustBeComplete() {
    try (Bench bench = new Bench(BlockKind.ADAPTER, MaskPlacement.STATE)) {
      assertThrows(
          IllegalArgumentException.class,
          () ->
              bench.network.forward(
                  bench.device.kernels(), bench.taps.subList(0, 2), null, null, bench.activations));
    }
  }
}
