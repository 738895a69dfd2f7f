package dev.sidefade.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.sidefade.kernels.AdapterState;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/**
 * How blocks start, and what they refuse; their values and gradients are in the golden test of the
 * side network.
 */
class BlockTest {
  @Test
  void anAdapterStartsAsTheIdentity() {
    try (Device device = Device.cpu(1);
        Parameters p = new Parameters()) {
      AdapterBlock block = new AdapterBlock(p, "", "norm", 6, 4, 1e-6f);
      p.allocate(device, 1);
      try (Tensor memory = device.allocate(Slab.measure(s -> block.state(s, 5)));
          Tensor x = device.allocate(5, 6);
          Tensor z = device.allocate(5, 6)) {
        for (int i = 0; i < x.size(); i++) {
          x.set(i, CounterRandom.normal(1, 1, i));
        }
        AdapterState state = block.state(new Slab(memory), 5);
        block.forward(device.kernels(), x, state, z);
        assertArrayEquals(x.toFloats(), z.toFloats());
        p.get("fc2.weight").value().set(3, 0.5f);
        block.forward(device.kernels(), x, state, z);
        assertFalse(Arrays.equals(x.toFloats(), z.toFloats()));
      }
    }
  }

  @Test
  void headsMustDivideTheWidth() {
    for (int heads : new int[] {0, -1, 5, 24}) {
      assertThrows(
          BadInputException.class,
          () -> new TransformerBlock(new Parameters(), "", 12, heads, 4, 1e-6f));
    }
  }

  /** Padding that is not attended to may hold anything finite. */
  @Test
  void paddingHasNoInfluenceOnTokens() {
    TokenLayout layout = new TokenLayout(1, 4, 0, 0, 0);
    try (Device device = Device.cpu(1);
        Parameters p = new Parameters()) {
      TransformerBlock block = new TransformerBlock(p, "", 8, 2, 5, 1e-6f);
      p.allocate(device, 1);
      for (int i = 0; i < p.get("fc2.weight").value().size(); i++) {
        p.get("fc2.weight").value().set(i, CounterRandom.normal(9, 9, i));
      }
      try (Tensor memory = device.allocate(Slab.measure(s -> block.state(s, layout)));
          Tensor x = device.allocate(4, 8);
          Tensor z = device.allocate(4, 8);
          Tensor valid = device.allocate(4)) {
        valid.setFloats(new float[] {1, 1, 0, 1});
        for (int i = 0; i < x.size(); i++) {
          x.set(i, CounterRandom.normal(1, 1, i));
        }
        TransformerBlock.State state = block.state(new Slab(memory), layout);
        block.forward(device.kernels(), x, layout, valid, state, z);
        float[] before = z.toFloats();
        x.set(2 * 8 + 3, 50);
        block.forward(device.kernels(), x, layout, valid, state, z);
        float[] after = z.toFloats();
        assertArrayEquals(Arrays.copyOf(before, 16), Arrays.copyOf(after, 16));
        assertArrayEquals(Arrays.copyOfRange(before, 24, 32), Arrays.copyOfRange(after, 24, 32));
        block.forward(device.kernels(), x, layout, null, state, z);
        assertFalse(Arrays.equals(Arrays.copyOf(before, 16), Arrays.copyOf(z.toFloats(), 16)));
      }
    }
  }
}
