package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is found in real exports is what they were made of. */
class StructureFinderTest {
  private static List<Fixture> fixtures() {
    return Fixture.all();
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void findsWhatTheModelWasMadeOf(Fixture fixture) throws IOException {
    BackboneStructure found =
        StructureFinder.find(OnnxModel.read(Golden.model(fixture.name() + ".onnx")));
    assertEquals(fixture.kind(), found.kind());
    assertEquals(fixture.blocks(), found.blocks());
    for (BackboneStructure.Tap tap : found.taps()) {
      assertEquals(32, tap.width());
      assertEquals(fixture.tokens(), tap.tokens());
    }
    assertEquals(fixture.readOut(), found.readOut().kind());
    assertEquals(fixture.skipped(), found.readOut().skippedTokens());
    assertEquals(fixture.beforeNorm(), found.readOut().beforeNorm());
    boolean readsOut = fixture.readOut() != ReadOut.Kind.NONE;
    assertEquals(readsOut, found.readOut().value().isPresent());
    assertEquals(fixture.classes(), found.classes());
    assertEquals(fixture.grid(), found.grid());
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void findsAllNormsAndTheirBlocks(Fixture fixture) throws IOException {
    BackboneStructure found =
        StructureFinder.find(OnnxModel.read(Golden.model(fixture.name() + ".onnx")));
    List<Norm> norms = found.norms();
    assertEquals(fixture.norms(), norms.size());
    int ends = fixture.text() ? 0 : fixture.blocks() + 1;
    for (int i = 0; i < norms.size(); i++) {
      assertEquals(i, norms.get(i).position());
      assertEquals(fixture.form(), norms.get(i).form());
      assertTrue(norms.get(i).bias().isPresent());
      assertEquals(fixture.epsilon(), norms.get(i).epsilon(), fixture.epsilon() * 1e-5);
    }
    assertEquals(1, norms.stream().filter(norm -> norm.block() == ends).count());
    int perBlock = (fixture.norms() - 1) / fixture.blocks();
    for (int block = 1; block <= fixture.blocks(); block++) {
      int number = block;
      assertEquals(perBlock, norms.stream().filter(norm -> norm.block() == number).count());
    }
    // in every fixture the final norm is the last one
    assertEquals(norms.getLast(), found.finalNorm().orElseThrow());
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void findsInputs(Fixture fixture) throws IOException {
    BackboneStructure found =
        StructureFinder.find(OnnxModel.read(Golden.model(fixture.name() + ".onnx")));
    assertEquals(fixture.inputs(), found.inputs().stream().map(InputSpec::name).toList());
    if (fixture.text()) {
      found.inputs().forEach(input -> assertEquals(ElementType.INT64, input.type()));
      found.inputs().forEach(input -> assertEquals(List.of(-1L, -1L), input.dims()));
    } else {
      assertEquals(1, found.inputs().size());
      assertTrue(found.inputs().getFirst().isImage());
      assertEquals(-1L, found.inputs().getFirst().dims().getFirst());
    }
  }

  @Test
  void tapsOfPreNormAreWhatNormsTakeAndOfPostNormWhatTheyGive() throws IOException {
    BackboneStructure vit =
        StructureFinder.find(OnnxModel.read(Golden.model("vit_timm_legacy14.onnx")));
    BackboneStructure bert =
        StructureFinder.find(OnnxModel.read(Golden.model("bert_dynamo18.onnx")));
    for (int l = 0; l <= 3; l++) {
      assertEquals(vit.norms().get(2 * l).input(), vit.taps().get(l).value());
      assertEquals(bert.norms().get(2 * l).output(), bert.taps().get(l).value());
    }
  }

  @Test
  void sharedConstantsAreFollowedToTheirInitializer() throws IOException {
    OnnxModel model = OnnxModel.read(Golden.model("vit_timm_shared_legacy17.onnx"));
    List<Norm> norms = StructureFinder.find(model).norms();
    assertEquals(1, new HashSet<>(norms.stream().map(Norm::scale).toList()).size());
    assertTrue(model.graph().initializers().containsKey(norms.getLast().scale()));
    assertEquals(5, new HashSet<>(norms.stream().map(Norm::scaleInput).toList()).size());
    assertNotEquals(norms.getFirst().scaleInput(), norms.getFirst().biasInput());
  }

  /** A real export: PyTorch 1.13, opset 14, and both axes of its inputs are called "batch". */
  @Test
  void theRealMiniLm() throws IOException {
    String file = System.getProperty("sidefade.minilm");
    Assumptions.assumeTrue(
        file != null, "needs all-minilm-l6-v2.onnx, named by -Dsidefade.minilm=FILE");
    BackboneStructure found = StructureFinder.find(OnnxModel.read(Path.of(file)));
    assertEquals(BackboneStructure.Kind.POST_NORM, found.kind());
    assertEquals(6, found.blocks());
    assertEquals(13, found.norms().size());
    assertEquals(found.norms().getLast(), found.finalNorm().orElseThrow());
    for (BackboneStructure.Tap tap : found.taps()) {
      assertEquals(384, tap.width());
      assertEquals(-1, tap.tokens());
    }
    // the graph ends in BERT's pooler; the mean that sentence-transformers takes is not part of it
    assertEquals(ReadOut.Kind.POOLER, found.readOut().kind());
    assertEquals(0, found.classes());
    assertEquals(
        List.of("input_ids", "attention_mask", "token_type_ids"),
        found.inputs().stream().map(InputSpec::name).toList());
  }

  @Test
  void theShippedModelsTapsAreThoseThatItsJsonNames() throws IOException {
    OnnxModel model = OnnxModel.read(Golden.resource("/dev/sidefade/demo/vit28p7d128.onnx"));
    BackboneStructure found = StructureFinder.find(model);
    assertEquals("embed.output", found.taps().getFirst().value());
    assertEquals(
        IntStream.range(0, 6).mapToObj(i -> "blocks." + i + ".output").toList(),
        found.taps().stream().skip(1).map(BackboneStructure.Tap::value).toList());
    assertEquals("norm.output", found.finalNorm().orElseThrow().output());
    assertEquals(45, found.classes());
    assertTrue(found.head().orElseThrow().transposed());
    assertEquals(new TokenGrid(4, 4, 1), found.grid().orElseThrow());
  }
}
