package dev.sidefade.cli;

import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.backbone.Head;
import dev.sidefade.backbone.Norm;
import dev.sidefade.backbone.ReadOut;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** {@code inspect} for people. */
final class InspectText {
  private static final int LONGEST_METADATA = 100;

  private final StringBuilder text = new StringBuilder();

  private InspectText() {}

  /** The facts on several lines. */
  static String of(ModelFacts facts) {
    InspectText text = new InspectText();
    text.model(facts);
    facts.backbone().ifPresent(text::found);
    facts.problem().ifPresent(text::problem);
    text.metadata(facts.metadata());
    return text.text.toString();
  }

  private void model(ModelFacts facts) {
    line(facts.file().toString());
    fact("file", count(facts.bytes()) + " bytes, ONNX IR " + facts.irVersion());
    if (!facts.producer().isEmpty()) {
      fact("made by", facts.producer());
    }
    fact("opsets", joined(facts.opsets(), " "));
    int nodes = facts.operators().values().stream().mapToInt(Integer::intValue).sum();
    fact("graph", count(nodes) + " nodes, " + count(facts.parameters()) + " parameters");
    facts.inputs().forEach(input -> fact("input", value(input)));
    facts.outputs().forEach(output -> fact("output", value(output)));
  }

  private void found(ModelFacts.Found found) {
    BackboneStructure structure = found.structure();
    line("");
    line("As a backbone (" + Choice.text(structure.kind()) + ")");
    fact("blocks", String.valueOf(structure.blocks()));
    fact("norms", norms(structure.norms()));
    fact("final norm", structure.finalNorm().map(InspectText::norm).orElse("not found"));
    fact("read-out", readOut(structure.readOut()));
    fact("head", structure.head().map(InspectText::head).orElse("none"));
    structure
        .grid()
        .ifPresent(grid ->
            fact(
                "patches",
                grid.height() + " x " + grid.width() + ", prefix tokens: " + grid.prefixTokens()));
    found.preprocessing().ifPresent(preprocessing -> fact("images", preprocessing.toJson()));
    fact("sha-256", found.sha256());
    line("");
    line("Taps");
    List<BackboneStructure.Tap> taps = structure.taps();
    for (int i = 0; i < taps.size(); i++) {
      BackboneStructure.Tap tap = taps.get(i);
      String tokens = tap.tokens() < 0 ? "tokens" : String.valueOf(tap.tokens());
      fact(String.valueOf(i), "batch x " + tokens + " x " + tap.width() + "  " + tap.value());
    }
  }

  private void problem(String problem) {
    line("");
    line("Cannot be adapted: " + problem);
  }

  private void metadata(Map<String, String> metadata) {
    if (metadata.isEmpty()) {
      return;
    }
    line("");
    line("Metadata");
    metadata.forEach((key, value) -> {
      String flat = value.replaceAll("\\s+", " ");
      line(
          "  "
              + key
              + " = "
              + (flat.length() > LONGEST_METADATA
                  ? flat.substring(0, LONGEST_METADATA) + "..."
                  : flat));
    });
  }

  private static String value(ModelFacts.Value value) {
    String shape = value.dims().stream().map(String::valueOf).collect(Collectors.joining(" x "));
    return value.name() + ": " + value.type() + (shape.isEmpty() ? "" : " " + shape);
  }

  private static String norms(List<Norm> norms) {
    List<String> forms = new ArrayList<>();
    for (Norm.Form form : Norm.Form.values()) {
      long number = norms.stream().filter(norm -> norm.form() == form).count();
      if (number > 0) {
        forms.add(
            number
                + " as "
                + (form == Norm.Form.OPERATOR ? "one operator" : "a chain of operators"));
      }
    }
    return norms.isEmpty() ? "none" : String.join(", ", forms);
  }

  private static String norm(Norm norm) {
    return norm.output() + ", width " + norm.width() + ", epsilon " + norm.epsilon();
  }

  private static String readOut(ReadOut readOut) {
    String kind =
        switch (readOut.kind()) {
          case CLS -> "the first token";
          case MEAN -> "the mean of the tokens from " + readOut.skippedTokens() + " on";
          case POOLER -> "the first token through a pooler";
          case NONE -> "not recognised";
        };
    return kind + (readOut.beforeNorm() ? ", before the norm" : "");
  }

  private static String head(Head head) {
    return head.width() + " features to " + head.classes() + " classes, weight " + head.weight();
  }

  private static String joined(Map<String, Long> values, String between) {
    return values.entrySet().stream()
        .map(entry -> entry.getKey() + between + entry.getValue())
        .collect(Collectors.joining(", "));
  }

  private static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private void fact(String name, String value) {
    line("  %-11s %s".formatted(name, value));
  }

  private void line(String line) {
    text.append(line).append('\n');
  }
}
