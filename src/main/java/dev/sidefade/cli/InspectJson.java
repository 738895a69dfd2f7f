package dev.sidefade.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.backbone.Head;
import dev.sidefade.backbone.Norm;
import dev.sidefade.backbone.ReadOut;
import dev.sidefade.backbone.TokenGrid;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** {@code inspect --json}: every key is always there, null where the model has nothing to say. */
final class InspectJson {
  private InspectJson() {}

  /** The facts as one object. */
  static JsonObject of(ModelFacts facts) {
    JsonObject json = new JsonObject();
    json.addProperty("file", facts.file().toString());
    json.addProperty("bytes", facts.bytes());
    json.addProperty("ir_version", facts.irVersion());
    json.addProperty("producer", facts.producer());
    json.add("opsets", object(facts.opsets(), JsonPrimitive::new));
    json.add("operators", object(facts.operators(), JsonPrimitive::new));
    json.addProperty("parameters", facts.parameters());
    json.add("inputs", array(facts.inputs(), InspectJson::value));
    json.add("outputs", array(facts.outputs(), InspectJson::value));
    json.add("metadata", object(facts.metadata(), JsonPrimitive::new));
    json.add("backbone", facts.backbone().map(InspectJson::found).orElse(JsonNull.INSTANCE));
    json.addProperty("problem", facts.problem().orElse(null));
    return json;
  }

  private static JsonObject value(ModelFacts.Value value) {
    JsonObject json = new JsonObject();
    json.addProperty("name", value.name());
    json.addProperty("type", value.type());
    json.add(
        "shape",
        array(
            value.dims(),
            dim ->
                dim instanceof Long size
                    ? new JsonPrimitive(size)
                    : new JsonPrimitive((String) dim)));
    return json;
  }

  private static JsonElement found(ModelFacts.Found found) {
    BackboneStructure structure = found.structure();
    JsonObject json = new JsonObject();
    json.addProperty("kind", Choice.text(structure.kind()));
    json.addProperty("blocks", structure.blocks());
    JsonArray taps = new JsonArray();
    for (int i = 0; i < structure.taps().size(); i++) {
      taps.add(tap(i, structure.taps().get(i)));
    }
    json.add("taps", taps);
    json.add("norms", array(structure.norms(), InspectJson::norm));
    json.add("final_norm", structure.finalNorm().map(InspectJson::norm).orElse(JsonNull.INSTANCE));
    json.add("read_out", readOut(structure.readOut()));
    json.add("head", structure.head().map(InspectJson::head).orElse(JsonNull.INSTANCE));
    json.add("grid", structure.grid().map(InspectJson::grid).orElse(JsonNull.INSTANCE));
    json.add(
        "preprocessing",
        found
            .preprocessing()
            .map(p -> JsonParser.parseString(p.toJson()))
            .orElse(JsonNull.INSTANCE));
    json.addProperty("sha256", found.sha256());
    return json;
  }

  private static JsonObject tap(int index, BackboneStructure.Tap tap) {
    JsonObject json = new JsonObject();
    json.addProperty("index", index);
    json.addProperty("value", tap.value());
    // -1 is how the finder says that it depends on the input
    json.add("tokens", tap.tokens() < 0 ? JsonNull.INSTANCE : new JsonPrimitive(tap.tokens()));
    json.addProperty("width", tap.width());
    return json;
  }

  private static JsonElement norm(Norm norm) {
    JsonObject json = new JsonObject();
    json.addProperty("position", norm.position());
    json.addProperty("block", norm.block());
    json.addProperty("form", Choice.text(norm.form()));
    json.addProperty("output", norm.output());
    json.addProperty("scale", norm.scale());
    json.addProperty("bias", norm.bias().orElse(null));
    json.addProperty("epsilon", norm.epsilon());
    json.addProperty("width", norm.width());
    return json;
  }

  private static JsonObject readOut(ReadOut readOut) {
    JsonObject json = new JsonObject();
    json.addProperty("kind", Choice.text(readOut.kind()));
    json.addProperty("value", readOut.value().orElse(null));
    json.addProperty("skipped_tokens", readOut.skippedTokens());
    json.addProperty("before_norm", readOut.beforeNorm());
    return json;
  }

  private static JsonElement head(Head head) {
    JsonObject json = new JsonObject();
    json.addProperty("weight", head.weight());
    json.addProperty("bias", head.bias().orElse(null));
    json.addProperty("output", head.output());
    json.addProperty("width", head.width());
    json.addProperty("classes", head.classes());
    return json;
  }

  private static JsonElement grid(TokenGrid grid) {
    JsonObject json = new JsonObject();
    json.addProperty("height", grid.height());
    json.addProperty("width", grid.width());
    json.addProperty("prefix_tokens", grid.prefixTokens());
    return json;
  }

  private static <T> JsonArray array(List<T> values, Function<T, JsonElement> toJson) {
    JsonArray array = new JsonArray();
    values.forEach(value -> array.add(toJson.apply(value)));
    return array;
  }

  private static <T> JsonObject object(Map<String, T> values, Function<T, JsonElement> toJson) {
    JsonObject object = new JsonObject();
    values.forEach((key, value) -> object.add(key, toJson.apply(value)));
    return object;
  }
}
