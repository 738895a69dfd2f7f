package dev.sidefade;

import java.util.ArrayList;
import java.util.List;

/** Keeps the notes of a run, and nothing else of it. */
public final class Notes implements ProgressListener {
  private final List<String> all = new ArrayList<>();

  @Override
  public void note(String message) {
    all.add(message);
  }

  /** What was noted so far. */
  public List<String> all() {
    return all;
  }
}
