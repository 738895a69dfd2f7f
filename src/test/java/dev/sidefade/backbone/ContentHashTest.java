package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a model is told by, when some of its tensors lie in other files. */
class ContentHashTest {
  private static final String EXTERNAL = "vit_timm_external_dynamo20.onnx";

  @TempDir Path folder;

  @Test
  void withoutOtherFilesItIsTheHashOfTheFile() throws IOException {
    try (Backbone backbone = Backbone.load(Golden.model("vit_timm_dynamo18.onnx"))) {
      assertEquals(backbone.hash(), backbone.contentHash());
      assertEquals(64, backbone.hash().length());
    }
  }

  @Test
  void aValueInAnotherFileChangesIt() throws IOException {
    Path file = Files.copy(Golden.model(EXTERNAL), folder.resolve(EXTERNAL));
    Path data = folder.resolve(EXTERNAL + ".data");
    byte[] bytes = Files.readAllBytes(Golden.model(EXTERNAL + ".data"));
    Files.write(data, bytes);
    String before = contentHash(file);
    assertEquals(before, contentHash(Golden.model(EXTERNAL)));
    for (int at : new int[] {0, bytes.length / 2}) {
      byte[] changed = bytes.clone();
      changed[at] ^= 1;
      Files.delete(data);
      Files.write(data, changed);
      assertNotEquals(before, contentHash(file), "byte " + at);
    }
    try (Backbone one = Backbone.load(file);
        Backbone other = Backbone.load(Golden.model(EXTERNAL))) {
      assertEquals(other.hash(), one.hash(), "the model's own file is the same");
    }
  }

  private static String contentHash(Path file) throws IOException {
    try (Backbone backbone = Backbone.load(file)) {
      return backbone.contentHash();
    }
  }

  @Test
  void constantsOfNodesCountToo() throws IOException {
    String first = ofConstant("a", 1);
    assertNotEquals("the file", first);
    assertEquals(first, ofConstant("b", 1));
    assertNotEquals(first, ofConstant("c", 2));
  }

  /** A model with one initializer in another file, put into a node of a second model. */
  private String ofConstant(String name, float value) throws IOException {
    Path file = folder.resolve(name + ".onnx");
    OnnxModel written = OnnxModel.create(8, 17);
    float[] values = new float[1 << 10];
    values[7] = value;
    written.graph().addInitializer(Initializer.floats("t", values, values.length));
    written.write(file, true);
    Initializer outside = OnnxModel.read(file).graph().initializers().get("t");
    OnnxModel model = OnnxModel.create(8, 17);
    model.graph().addNode("Constant", List.of(), List.of("c"), Attribute.tensor("value", outside));
    return ContentHash.of("the file", model.graph());
  }
}
