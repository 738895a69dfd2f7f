package dev.sidefade;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.tensor.Sha256;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * SHA-256 of the files that decide a run beside its examples, by the names that {@code
 * metrics.json} gives them: under the same path may lie another file by now.
 */
final class InputHashes {
  private static final String BACKBONE = "backbone_sha256";
  private static final String TOKENIZER = "tokenizer_sha256";

  /** All names. */
  static final Set<String> NAMES = Set.of(BACKBONE, TOKENIZER);

  private InputHashes() {}

  static Map<String, String> of(AdaptConfig config, Backbone backbone) throws IOException {
    Map<String, String> hashes = new LinkedHashMap<>();
    hashes.put(BACKBONE, backbone.contentHash());
    if (config.tokenizer().isPresent()) {
      hashes.put(TOKENIZER, Sha256.ofFile(config.tokenizer().get()));
    }
    return hashes;
  }

  /** As {@link #of(AdaptConfig, Backbone)}, of what lies there now. */
  static Map<String, String> of(AdaptConfig config) throws IOException {
    try (Backbone backbone = Backbone.load(config.backbone())) {
      return of(config, backbone);
    }
  }
}
