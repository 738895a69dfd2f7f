package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** With tracking, messages say where resources were made and closed. */
class TrackingTest {
  @Test
  void whereItWasMadeAndClosed() throws IOException, InterruptedException {
    EmulatedDriver.assumeThere();
    List<String> flags = new ArrayList<>(ChildJvm.emulated());
    flags.add("-D" + CudaAccounting.TRACK_PROPERTY + "=true");
    ChildJvm.Result result = ChildJvm.run(TrackingProgram.class, flags, Map.of());
    assertEquals(0, result.exit(), result.out());
    String out = result.out();
    int alive = out.indexOf("alive: ");
    String used = out.substring(0, alive);
    for (String part :
        List.of(
            "device buffer of 222 bytes",
            "is closed",
            "Caused by: java.lang.Throwable: closed here",
            "TrackingProgram.closeUsed",
            "Suppressed: java.lang.Throwable: made here",
            "TrackingProgram.makeUsed")) {
      assertTrue(used.contains(part), part + " in: " + used);
    }
    String rest = out.substring(alive);
    for (String part :
        List.of(
            "device buffer of 111 bytes",
            "TrackingProgram.makeForgotten",
            "closed with the context",
            "open: false")) {
      assertTrue(rest.contains(part), part + " in: " + rest);
    }
    assertTrue(!rest.contains("makeUsed"), rest);
  }
}
