package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.TunableConstant;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Shape;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What was tuned is checked before it meets a backbone. */
class TunedModelTest {
  private static final TunedTail TAIL =
      TunedTail.head(Pooling.CLS, new float[] {1, 2, 3, 4}, new float[] {5, 6});

  @Test
  void factorsMustFitEachOther() {
    new LowRank(new float[6], new float[8], 2, 3, 4);
    for (int[] sizes :
        List.of(
            new int[] {0, 3, 4},
            new int[] {1, 3, 4},
            new int[] {2, 4, 4},
            new int[] {2, 3, 5},
            new int[] {-2, -3, -4},
            new int[] {65536, 65536, 65536})) {
      assertThrows(
          BadInputException.class,
          () -> new LowRank(new float[6], new float[8], sizes[0], sizes[1], sizes[2]));
    }
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      assertThrows(
          BadInputException.class, () -> new LowRank(new float[] {bad}, new float[1], 1, 1, 1));
      assertThrows(
          BadInputException.class, () -> new LowRank(new float[1], new float[] {bad}, 1, 1, 1));
    }
  }

  @Test
  void namesAreChecked() {
    float[] values = {1};
    for (String good :
        List.of("sidefade.norm.0.scale", "sidefade.norm.12.bias", "sidefade.linear.7.bias")) {
      assertFalse(new TunedModel(TAIL, Map.of(good, values), Map.of()).isTailOnly());
    }
    for (String bad :
        List.of(
            "",
            "norm.scale",
            "sidefade.norm.0",
            "sidefade.norm.00.scale",
            "sidefade.norm.-1.scale",
            "sidefade.norm.1.scale.x",
            "sidefade.linear.1.scale",
            "sidefade.linear.1.weight",
            "sidefade.head.bias",
            "sidefade.norm.99999999999.scale")) {
      assertThrows(
          BadInputException.class, () -> new TunedModel(TAIL, Map.of(bad, values), Map.of()), bad);
    }
    LowRank change = new LowRank(values, values, 1, 1, 1);
    new TunedModel(TAIL, Map.of(), Map.of("sidefade.linear.3", change));
    for (String bad : List.of("", "sidefade.linear", "sidefade.linear.3.a", "sidefade.norm.3")) {
      assertThrows(
          BadInputException.class, () -> new TunedModel(TAIL, Map.of(), Map.of(bad, change)), bad);
    }
    float[] infinite = {Float.NaN};
    assertThrows(
        BadInputException.class,
        () -> new TunedModel(TAIL, Map.of("sidefade.norm.0.scale", infinite), Map.of()));
    assertTrue(TunedModel.of(TAIL).isTailOnly());
  }

  @Test
  void trainedConstantsAreSorted() throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model("bert_legacy17"));
        TrainedTail trained = new TrainedTail(backbone, Pooling.CLS, 3, true, 4)) {
      TunedModel expected = TunedInside.of(backbone, trained.tail(), 2, 9);
      List<TunableConstant> constants = new ArrayList<>();
      Map<String, float[]> values = new HashMap<>(expected.constants());
      expected
          .constants()
          .forEach((name, v) -> constants.add(constant(name, TunableConstant.Kind.BIAS, v.length)));
      expected
          .lowRank()
          .forEach((name, change) -> {
            values.put(name + ".a", change.a());
            values.put(name + ".b", change.b());
            constants.add(
                constant(
                    name + ".b", TunableConstant.Kind.LOW_RANK_OUT, change.rank(), change.out()));
            constants.add(
                constant(
                    name + ".a", TunableConstant.Kind.LOW_RANK_IN, change.in(), change.rank()));
          });
      TunedModel actual = TunedModel.of(trained.tail(), constants, values::get);
      assertEquals(expected.constants(), actual.constants());
      assertEquals(expected.lowRank(), actual.lowRank());
    }
  }

  private static TunableConstant constant(String name, TunableConstant.Kind kind, long... dims) {
    return new TunableConstant(name, kind, 1, Shape.of(dims), Optional.empty());
  }
}
