package dev.sidefade.bench;

import dev.sidefade.backbone.GradientMemory;
import dev.sidefade.backbone.Tuning;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One case of {@link GradientMemoryTable}.
 *
 * @param model "shipped", or "depth-N" for a {@link SyntheticVit}
 * @param tuning "norms" or "low-rank"; "none" for the plain forward run
 * @param memory "stored", "micro-batch" or "taps"; "none" for the plain forward run
 */
record GradientCase(String model, String tuning, String memory) {
  static final long BATCH = 64;
  static final long MICRO_BATCH = 16;
  static final int RANK = 4;
  static final String SHIPPED = "shipped";
  static final int SHIPPED_DEPTH = 6;
  private static final String PLAIN = "none";

  static List<String> models() {
    List<String> models = new ArrayList<>(List.of(SHIPPED));
    for (int depth : new int[] {2, 4, 8, 12}) {
      models.add("depth-" + depth);
    }
    return models;
  }

  /** What is measured of each model: the plain forward run, then all tunings by all memories. */
  static List<GradientCase> of(String model) {
    List<GradientCase> cases = new ArrayList<>(List.of(new GradientCase(model, PLAIN, PLAIN)));
    for (String tuning : List.of("norms", "low-rank")) {
      for (String memory : List.of("stored", "micro-batch", "taps")) {
        cases.add(new GradientCase(model, tuning, memory));
      }
    }
    return cases;
  }

  boolean plain() {
    return memory.equals(PLAIN);
  }

  int depth() {
    return model.equals(SHIPPED)
        ? SHIPPED_DEPTH
        : Integer.parseInt(model.substring("depth-".length()));
  }

  Tuning toTuning() {
    return switch (tuning) {
      case "norms" -> Tuning.norms();
      case "low-rank" -> Tuning.lowRank(RANK);
      default -> throw new IllegalArgumentException("there is no tuning " + tuning);
    };
  }

  GradientMemory toMemory() {
    return switch (memory) {
      case "stored" -> GradientMemory.STORED;
      case "micro-batch" -> GradientMemory.microBatch(MICRO_BATCH);
      case "taps" -> GradientMemory.TAPS;
      default -> throw new IllegalArgumentException("there is no memory " + memory);
    };
  }

  /** How a table names the tuning. */
  String tuningTitle() {
    return tuning.equals("low-rank") ? "low-rank " + RANK + " + norms" : tuning;
  }

  /** How a table names the memory. */
  String memoryTitle() {
    return memory.equals("micro-batch") ? memory + " " + MICRO_BATCH : memory;
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%s, %s, %s", model, tuning, memory);
  }
}
