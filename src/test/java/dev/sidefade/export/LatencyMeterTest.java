package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LatencyMeterTest {
  @Test
  void modelsTakeTurns() throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.demo());
        Arena arena = Arena.ofConfined()) {
      Map<String, Path> models = new LinkedHashMap<>();
      models.put("one", Fixtures.demo());
      models.put("same", Fixtures.demo());
      for (int batch : new int[] {1, 8}) {
        Map<String, Tensor> inputs = Fixtures.inputs(backbone, batch, 1, arena);
        Map<String, Latency> times =
            LatencyMeter.measure(models, inputs, 1, Duration.ofMillis(200));
        assertEquals(List.of("one", "same"), List.copyOf(times.keySet()));
        for (Latency time : times.values()) {
          assertTrue(0 < time.low() && time.low() <= time.median() && time.median() <= time.high());
        }
      }
    }
  }

  @Test
  void everyModelIsInEveryRound() throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.demo());
        Arena arena = Arena.ofConfined()) {
      Map<String, Path> models = new LinkedHashMap<>();
      models.put("one", Fixtures.demo());
      models.put("same", Fixtures.demo());
      Map<String, double[]> rounds =
          LatencyMeter.rounds(
              models, Fixtures.inputs(backbone, 3, 1, arena), 1, Duration.ofMillis(50));
      assertEquals(List.of("one", "same"), List.copyOf(rounds.keySet()));
      assertTrue(rounds.get("one").length >= 15);
      assertEquals(rounds.get("one").length, rounds.get("same").length);
      rounds.values().forEach(each -> assertTrue(Arrays.stream(each).allMatch(ms -> ms > 0)));
    }
  }

  @Test
  void aModelThatDoesNotRunIsNamed() {
    try (Arena arena = Arena.ofConfined()) {
      Map<String, Path> models = Map.of("none", Path.of("no-such-model.onnx"));
      Map<String, Tensor> inputs = Map.of("x", Fixtures.zeros(arena, DType.F32, 1));
      String message =
          assertThrows(
                  IllegalStateException.class,
                  () -> LatencyMeter.measure(models, inputs, 1, Duration.ZERO))
              .getMessage();
      assertTrue(message.contains("no-such-model.onnx"), message);
    }
  }

  @Test
  void quantilesAreThoseOfTheRounds() {
    double[] rounds = new double[101];
    for (int i = 0; i <= 100; i++) {
      rounds[i] = (i * 37) % 101;
    }
    assertEquals(new Latency(50, 10, 90), LatencyMeter.summary(rounds));
    assertEquals(new Latency(1.5, 1.1, 1.9), LatencyMeter.summary(new double[] {2, 1}));
    assertEquals(new Latency(3, 3, 3), LatencyMeter.summary(new double[] {3}));
  }
}
