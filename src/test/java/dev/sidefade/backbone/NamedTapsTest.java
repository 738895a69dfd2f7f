package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Taps named in the JSON beside a model take the place of the search. */
class NamedTapsTest {
  private static final String NAME = "vit_timm_dynamo20";

  @TempDir private Path folder;
  private Path model;

  @BeforeEach
  void copyModel() throws IOException {
    model = Files.copy(Golden.model(NAME + ".onnx"), folder.resolve("named.onnx"));
  }

  private void write(String taps) throws IOException {
    Files.writeString(folder.resolve("named.json"), "{\"taps\": " + taps + "}");
  }

  @Test
  void namedTapsAreUsedAsTheyAre() throws IOException {
    // one long block instead of two
    write("{\"embed\": \"add_17\", \"blocks\": [\"add_201\"], \"final_norm\": \"layer_norm_4\"}");
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(model);
        Trunk trunk = backbone.openTrunk(1)) {
      assertEquals(1, backbone.structure().blocks());
      assertEquals(BackboneStructure.Kind.PRE_NORM, backbone.structure().kind());
      assertEquals(4, backbone.structure().finalNorm().orElseThrow().position());
      assertEquals(4, backbone.structure().norms().stream().filter(n -> n.block() == 1).count());
      assertEquals(5, backbone.structure().classes());
      Golden golden = Golden.read(NAME, arena);
      List<Tensor> taps = Runs.run(trunk, golden.inputs(0, 3), 3, arena);
      assertEquals(2, taps.size());
      Runs.assertClose(golden.get("tap.0"), taps.get(0), "tap 0");
      Runs.assertClose(golden.get("tap.2"), taps.get(1), "tap 1");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'embed': 'nowhere', 'blocks': ['add_201']}| nowhere",
        "{'embed': 'add_17', 'blocks': ['add_201', 'gone']}| gone",
        "{'embed': 'add_17', 'blocks': ['add_201'], 'final_norm': 'lost'}| lost",
        "{'embed': 'add_17', 'blocks': ['conv2d']}| conv2d has 4 dimensions",
        "{'embed': 'add_17', 'blocks': ['add_201'], 'final_norm': 'add_201'}| add_201",
        "{'embed': 'add_17', 'blocks': []}| taps.blocks",
        "{'embed': 'add_17', 'blocks': 'add_201'}| taps.blocks",
        "{'embed': 'add_17', 'blocks': [1]}| taps.blocks",
        "{'blocks': ['add_201']}| taps.embed",
        "{'embed': 5, 'blocks': ['add_201']}| taps.embed",
        "[]| taps must be an object",
      })
  void wrongNamesAreRefused(String taps, String part) throws IOException {
    write(taps.replace('\'', '"'));
    String message = assertThrows(BadInputException.class, () -> Backbone.load(model)).getMessage();
    assertTrue(message.contains(part), message);
  }

  @Test
  void theHashIsThatOfTheFile() throws IOException {
    try (Backbone one = Backbone.load(model);
        Backbone same = Backbone.load(Golden.model(NAME + ".onnx"));
        Backbone other = Backbone.load(Golden.model("vit_timm_dynamo18.onnx"))) {
      assertEquals(64, one.hash().length());
      assertEquals(one.hash(), same.hash());
      assertTrue(!one.hash().equals(other.hash()));
      assertEquals(model, one.file());
    }
  }
}
