package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The doctor finds what is there and never fails. */
class DoctorCommandTest {
  @Test
  void everyTopicIsInTheJson() {
    Cli.Outcome outcome = Cli.run("doctor", "--json");
    assertEquals(0, outcome.code(), outcome.err());
    Map<String, JsonObject> findings = new HashMap<>();
    for (JsonElement finding :
        JsonParser.parseString(outcome.out()).getAsJsonObject().getAsJsonArray("findings")) {
      JsonObject one = finding.getAsJsonObject();
      findings.put(one.get("topic").getAsString(), one);
      assertFalse(one.get("detail").getAsString().isBlank());
      assertTrue(one.get("ok").getAsBoolean() == one.get("advice").isJsonNull(), one.toString());
    }
    for (String topic :
        List.of(
            "sidefade",
            "java",
            "system",
            "processors",
            "memory",
            "onnx-runtime",
            "native-library",
            "telemetry",
            "native-access",
            "vector-api",
            "device-cpu",
            "device-cuda",
            "taps")) {
      assertTrue(findings.containsKey(topic), topic);
    }
    assertTrue(findings.get("onnx-runtime").get("detail").getAsString().contains("cpu"));
    assertTrue(findings.get("device-cpu").get("ok").getAsBoolean());
    String taps = findings.get("taps").get("detail").getAsString();
    assertTrue(taps.contains("host memory") || taps.contains("stay on the GPU"), taps);
    assertTrue(findings.get("java").get("detail").getAsString().startsWith("25"));
  }

  @Test
  void telemetryIsToldByItsVariable() {
    assertTrue(Checkup.telemetry(Optional.of("1")).detail().endsWith("off"));
    assertTrue(Checkup.telemetry(Optional.of("0")).detail().contains("is on"));
    Finding unset = Checkup.telemetry(Optional.empty());
    assertFalse(unset.ok());
    assertTrue(unset.advice().orElseThrow().contains("ORT_DISABLE_TELEMETRY=1"));
  }

  @Test
  void peopleGetALineForEachTopic() {
    Cli.Outcome outcome = Cli.run("doctor");
    assertEquals(0, outcome.code());
    assertTrue(outcome.out().contains("ok   device-cpu"), outcome.out());
  }

  @Test
  void aLookThatFailsIsAFinding() {
    Finding linked =
        Checkup.guarded(
            "x",
            () -> {
              throw new UnsatisfiedLinkError("no such library");
            });
    assertFalse(linked.ok());
    assertEquals("UnsatisfiedLinkError: no such library", linked.detail());
    Finding initialised =
        Checkup.guarded(
            "x",
            () -> {
              throw new ExceptionInInitializerError(new IllegalStateException("why"));
            });
    assertEquals("IllegalStateException: why", initialised.detail());
  }
}
