package dev.sidefade.export;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.Preprocessing;
import java.util.List;
import java.util.Optional;

/** Model cards for tests. */
final class Cards {
  private Cards() {}

  static ModelCard of(Backbone backbone) {
    Optional<Preprocessing> preprocessing =
        backbone.takesImages() ? Optional.of(backbone.preprocessing()) : Optional.empty();
    return new ModelCard(
        ModelCard.Kind.FADED,
        "0.1.0",
        List.of("eins", "zwei \"2\"", "três"),
        preprocessing,
        backbone.hash(),
        "{\"accuracy\":{\"test\":0.931}}");
  }
}
