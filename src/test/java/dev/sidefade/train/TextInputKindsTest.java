package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.BoundTrunk;
import dev.sidefade.backbone.GradientMemory;
import dev.sidefade.backbone.TapMemory;
import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.backbone.TrunkSpec;
import dev.sidefade.backbone.TunedTrunk;
import dev.sidefade.backbone.TunedTrunkSpec;
import dev.sidefade.backbone.Tuning;
import dev.sidefade.kernels.Device;
import dev.sidefade.layers.Parameters;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.text.TextModels;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Inputs of 32 bits and places of tokens as an input: what comes out of a model that is fed so is
 * what the model computes that it was made of, for padded texts too.
 */
class TextInputKindsTest {
  private static final int SIZE = 23;
  private static final int BATCH = 5;
  private static final List<Integer> TAPS = List.of(0, 2);

  @TempDir Path folder;
  private int files;

  private Path changed(String name, List<Consumer<OnnxModel>> changes) throws IOException {
    OnnxModel model = OnnxModel.read(MadeTexts.resource("/models/" + name + ".onnx"));
    changes.forEach(change -> change.accept(model));
    Path file = folder.resolve(name + files++ + ".onnx");
    model.write(file, false);
    return file;
  }

  private Stream<Path> allWays(String name) throws IOException {
    return Stream.of(
        changed(name, List.of(TextModels::narrow)),
        changed(name, List.of(TextModels::positioned)),
        changed(name, List.of(TextModels::positioned, TextModels::narrow)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"minilm_legacy11", "distilbert_dynamo18"})
  void theSameComesOut(String name) throws IOException {
    List<float[]> expected = features(MadeTexts.resource("/models/" + name + ".onnx"));
    Set<DType> types = new HashSet<>();
    for (Path file : allWays(name).toList()) {
      List<float[]> said = features(file);
      assertEquals(expected.size(), said.size());
      for (int i = 0; i < said.size(); i++) {
        // ONNX Runtime fuses the look-ups of a constant position with the norm behind them
        assertArrayEquals(expected.get(i), said.get(i), 2e-6f, file + " " + i);
      }
      try (Backbone backbone = Backbone.load(file)) {
        types.addAll(MadeTexts.inputs(backbone).values());
      }
    }
    assertEquals(Set.of(DType.I32, DType.I64), types);
  }

  /** All taps of all batches, and what was padding. */
  private static List<float[]> features(Path file) throws IOException {
    List<float[]> all = new ArrayList<>();
    try (Backbone backbone = Backbone.load(file);
        Device device = Device.cpu(1)) {
      TextSet set = set(backbone);
      FeatureSource source = FeatureSource.of(backbone.openTrunk(1, TAPS));
      boolean padded = false;
      try (LiveFeatures live = new LiveFeatures(set, source, TAPS.size(), BATCH, device)) {
        live.start(0, set.walk(), BATCH);
        for (int done = 0; done < SIZE; ) {
          FeatureFeed.Batch batch = live.next();
          batch.features().taps().forEach(tap -> all.add(tap.toFloats()));
          all.add(batch.features().last().toFloats());
          float[] valid = batch.features().valid().toFloats();
          for (float v : valid) {
            padded |= v == 0;
          }
          done += batch.size();
        }
      }
      assertTrue(padded, "some batch has padding");
    }
    return all;
  }

  @Test
  void theyCanBeBound() throws IOException {
    for (Path file : allWays("minilm_legacy11").toList()) {
      try (Backbone backbone = Backbone.load(file);
          Device device = Device.cpu(1)) {
        ExampleSet.Loaded rows = set(backbone).load(0, new int[] {0, 3, 7, 2, 11}, BATCH).next();
        TrunkSpec spec = TrunkSpec.of(1, TAPS);
        Trunk plain = backbone.openTrunk(spec);
        List<Tensor> expected = results(plain.outputs(), rows, device);
        plain.run(rows.inputs(), BATCH, expected);
        try (BoundTrunk bound = BoundTrunk.open(backbone, spec, new TapMemory.Host())) {
          List<Tensor> said = results(bound.outputs(), rows, device);
          bound.run(rows.inputs(), BATCH, said);
          for (int i = 0; i < said.size(); i++) {
            assertArrayEquals(expected.get(i).toFloats(), said.get(i).toFloats(), 1e-6f);
          }
          said.forEach(Tensor::close);
        }
        expected.forEach(Tensor::close);
      }
    }
  }

  private static List<Tensor> results(
      List<TrunkOutput> outputs, ExampleSet.Loaded rows, Device device) {
    List<Tensor> results = new ArrayList<>();
    for (TrunkOutput output : outputs) {
      results.add(device.allocateHost(DType.F32, Shape.of(output.shape(BATCH, rows.tokens()))));
    }
    return results;
  }

  private static TextSet set(Backbone backbone) throws IOException {
    return new TextSet(
        MadeTexts.examples(Task.CLASSES, SIZE, 4), Task.CLASSES, MadeTexts.inputs(backbone));
  }

  @ParameterizedTest
  @ValueSource(strings = {"STORED", "TAPS", "MICRO_BATCH"})
  void theSameGradientsComeBack(String kind) throws IOException {
    String name = "minilm_legacy11";
    GradientMemory memory =
        kind.equals("MICRO_BATCH")
            ? GradientMemory.microBatch(2)
            : new GradientMemory(GradientMemory.Kind.valueOf(kind), 0);
    float[] expected = gradients(MadeTexts.resource("/models/" + name + ".onnx"), memory);
    assertTrue(expected.length > 0);
    for (Path file : allWays(name).toList()) {
      assertArrayEquals(expected, gradients(file, memory), 1e-6f, file.toString());
    }
  }

  /** Of all norms, for a batch of texts of different lengths and ones from behind. */
  private static float[] gradients(Path file, GradientMemory memory) throws IOException {
    try (Backbone backbone = Backbone.load(file);
        TunedTrunk trunk =
            TunedTrunk.open(backbone, new TunedTrunkSpec(1, TAPS, Tuning.norms(), memory));
        Device device = Device.cpu(1);
        Parameters parameters = new Parameters();
        Arena arena = Arena.ofConfined()) {
      InnerConstants constants = new InnerConstants(trunk);
      constants.declare(parameters);
      parameters.allocate(device, 1);
      TextSet set = set(backbone);
      ExampleSet.Loaded rows = set.load(0, new int[] {0, 3, 7, 2, 11}, BATCH).next();
      List<Tensor> results = results(trunk.outputs(), rows, device);
      constants.training().run(rows.inputs(), BATCH, results);
      Tensor last = results.get(trunk.finalInput());
      Shape shape = Shape.of(last.size() / backbone.width(0), backbone.width(0));
      Tensor ones = Tensor.wrap(arena.allocate(last.bytes(), 64), shape, DType.F32);
      for (long i = 0; i < ones.size(); i++) {
        ones.set(i, 0.01f * (i % 7));
      }
      constants.backward(ones, BATCH);
      float[] gradients = parameters.gradients().toFloats();
      results.forEach(Tensor::close);
      return gradients;
    }
  }
}
