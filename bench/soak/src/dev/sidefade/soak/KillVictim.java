package dev.sidefade.soak;

import dev.sidefade.ProgressListener;
import dev.sidefade.QuickRuns;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Adapts in the folder that it is given and says how far it is, until it is killed. */
public final class KillVictim {
  private KillVictim() {}

  /** Arguments: the folder of the data, the folder of the results. */
  public static void main(String[] args) throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    out.println("begun");
    QuickRuns.adapt(
        Kill.config(new DemoData(Path.of(args[0])), Path.of(args[1])),
        new ProgressListener() {
          private String phase = "";

          @Override
          public void phase(String name, long steps) {
            phase = name;
            out.println(name);
          }

          @Override
          public void phaseDone() {
            out.println(phase.equals("training") ? Kill.TRAINED : "after " + phase);
          }
        });
    out.println("finished");
  }
}
