package dev.sidefade.distill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.export.Safetensors;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.layers.Parameter;
import dev.sidefade.side.BlockKind;
import dev.sidefade.side.SideConfig;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Logits, states, losses and all gradients of a whole step against PyTorch's autograd in float64.
 * Sizes and weights are those of tools/golden/side_network_golden.py.
 */
class SideNetworkGoldenTest {
  private static final TokenLayout LAYOUT = new TokenLayout(3, 5, 1, 2, 2);
  private static final int WIDTH = 16;
  private static final int CLASSES = 4;
  private static final Distillation WEIGHTS = new Distillation(2, 0.7f, 1, 0.1f);

  private static Map<String, Safetensors.Entry> golden;

  @BeforeAll
  static void read() throws IOException, URISyntaxException {
    Path file =
        Path.of(
            SideNetworkGoldenTest.class.getResource("/golden/side_network.safetensors").toURI());
    golden = Safetensors.read(file).tensors();
  }

  private static float[] golden(String name) {
    Safetensors.Entry entry = golden.get(name);
    assertTrue(entry != null, () -> "the golden file lacks " + name);
    return entry.values();
  }

  @ParameterizedTest
  @CsvSource({
    "transformer, STATE", "transformer, INPUT",
    "adapter, STATE", "adapter, INPUT",
    "sequence, STATE", "sequence, INPUT"
  })
  void agreesWithAutograd(String network, MaskPlacement placement) {
    boolean sequence = network.equals("sequence");
    boolean adapter = network.equals("adapter");
    boolean state = placement == MaskPlacement.STATE;
    SideConfig side =
        new SideConfig(
            adapter ? BlockKind.ADAPTER : BlockKind.TRANSFORMER,
            List.of(24, 24, 24, 24),
            WIDTH,
            2,
            adapter ? 8 : 32,
            Pooling.CLS_MEAN,
            CLASSES,
            1e-6f,
            0.1f,
            placement);
    FeatureConfig features =
        new FeatureConfig(List.of(1), List.of(3), 6, 0.3f, 0.2f, 0.5f, !sequence, !state);
    try (Device device = Device.cpu(1);
        SideStep step = new SideStep(device, side, features, LAYOUT, WEIGHTS, inputs(sequence))) {
      for (Parameter p : step.parameters.all()) {
        p.value().setFloats(golden(network + ".parameters." + p.name()));
      }
      assertEquals(
          golden.keySet().stream().filter(k -> k.startsWith(network + ".parameters.")).count(),
          step.parameters.all().size());
      step.run();
      String prefix = network + (state ? ".state." : ".input.");
      assertForward(step, prefix, sequence);
      for (Parameter p : step.parameters.all()) {
        String name = "gradients." + p.name();
        assertClose(golden(prefix + name), p.gradient().toFloats(), name);
      }
    }
  }

  private static void assertForward(SideStep step, String prefix, boolean sequence) {
    assertClose(golden(prefix + "logits"), step.activations.logits().toFloats(), "logits");
    float[] valid = golden("inputs.valid");
    for (int l = 0; l < 4; l++) {
      float[] z = step.activations.state(l).toFloats();
      for (int i = 0; sequence && i < z.length; i++) {
        z[i] = valid[i / WIDTH] == 0 ? 0 : z[i];
      }
      assertClose(golden(prefix + "z." + l), z, "z." + l);
    }
    Map<String, Double> losses = step.losses();
    assertEquals(5, losses.size());
    losses.forEach((term, value) ->
        assertClose(golden(prefix + "losses." + term), new float[] {value.floatValue()}, term));
    float[] kernel = step.kernelLosses();
    assertClose(
        golden(prefix + "losses.cross_entropy"), new float[] {kernel[0]}, "kernel's cross-entropy");
    assertClose(
        golden(prefix + "losses.divergence"), new float[] {kernel[1]}, "kernel's divergence");
  }

  private static SideStep.Inputs inputs(boolean padded) {
    float[][] taps = new float[4][];
    for (int l = 0; l < taps.length; l++) {
      taps[l] = golden("inputs.taps." + l);
    }
    float[] labels = golden("inputs.labels");
    return new SideStep.Inputs(
        taps,
        golden("inputs.keep"),
        padded ? golden("inputs.valid") : null,
        golden("inputs.removed"),
        golden("inputs.teacher"),
        new int[] {(int) labels[0], (int) labels[1], (int) labels[2]});
  }

  private static void assertClose(float[] expected, float[] actual, String name) {
    assertEquals(expected.length, actual.length, name);
    for (int i = 0; i < expected.length; i++) {
      float e = expected[i];
      assertEquals(e, actual[i], 1e-5 + 1e-4 * Math.abs(e), name + " at " + i);
    }
  }
}
