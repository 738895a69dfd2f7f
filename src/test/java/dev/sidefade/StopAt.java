package dev.sidefade;

/** Ends a run in the middle of a phase, as a kill would. */
final class StopAt implements ProgressListener {
  private final String phase;
  private final long step;
  private boolean inPhase;

  StopAt(String phase, long step) {
    this.phase = phase;
    this.step = step;
  }

  @Override
  public void phase(String name, long steps) {
    inPhase = name.equals(phase);
  }

  @Override
  public void step(long done, String detail) {
    if (inPhase && done == step) {
      throw new Stopped();
    }
  }
}
