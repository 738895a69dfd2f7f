package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.Cublas;
import dev.sidefade.cuda.CudaStream;
import java.util.ArrayList;
import java.util.List;

/**
 * What the operations ask of the device, on its way to the compute stream. Usually it is enqueued
 * at once. While a step is recorded it is also remembered; while a recorded step is replayed it is
 * only compared with the record, since the graph of the step does it all.
 */
final class Queue {
  private final CudaStream stream;
  private final Cublas blas;
  private HostValues values;

  /** What is recorded now, or null. */
  private List<Call> recording;

  /** What is replayed now, or null. */
  private List<Call> expected;

  private int matched;
  private String hindrance;

  Queue(CudaStream stream, Cublas blas) {
    this.stream = stream;
    this.blas = blas;
  }

  /** Where host values of a step are sent from. */
  void use(HostValues hostValues) {
    values = hostValues;
  }

  CudaStream stream() {
    return stream;
  }

  /** Enqueues the call, or compares it with the record. */
  void submit(Call call) {
    if (expected != null) {
      if (matched < expected.size() && expected.get(matched).same(call)) {
        matched++;
        return;
      }
      leaveReplay("another call than the recorded one");
    }
    call.issue(stream, blas);
    if (recording != null) {
      recording.add(call.copy());
    }
  }

  /** Whether calls are only compared, so that nothing may be enqueued beside them. */
  boolean replaying() {
    return expected != null;
  }

  /** From now on calls are remembered too. */
  void record() {
    recording = new ArrayList<>();
    hindrance = null;
  }

  /** The calls since {@link #record}; null when something happened that cannot be replayed. */
  List<Call> endRecord() {
    List<Call> calls = recording;
    recording = null;
    return calls;
  }

  /** From now on calls are compared with these. */
  void replay(List<Call> calls) {
    expected = calls;
    matched = 0;
    hindrance = null;
  }

  /** Whether all calls of the record came, and no others; they are then to be launched. */
  boolean endReplay() {
    if (expected != null && matched < expected.size()) {
      leaveReplay("fewer calls than recorded");
    }
    boolean whole = expected != null;
    expected = null;
    return whole;
  }

  /**
   * Something is about to happen that no graph can hold, such as a copy to the host: what was held
   * back is enqueued now, and what is recorded cannot be replayed.
   */
  void outside(String what) {
    if (expected != null) {
      leaveReplay(what);
    }
    if (recording != null) {
      recording = null;
      hindrance = what;
    }
  }

  /** Why the last step was not recorded or not replayed; null when it was. */
  String hindrance() {
    return hindrance;
  }

  /** Puts calls on the stream, as they were recorded. */
  void issue(List<Call> calls) {
    for (Call call : calls) {
      call.issue(stream, blas);
    }
  }

  /** Catches up with what was only compared, and goes on without the record. */
  private void leaveReplay(String why) {
    List<Call> done = expected.subList(0, matched);
    expected = null;
    hindrance = why;
    values.upload();
    issue(done);
  }
}
