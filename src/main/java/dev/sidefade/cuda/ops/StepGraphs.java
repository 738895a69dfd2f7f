package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaException;
import dev.sidefade.cuda.CudaGraph;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Steps that come again: the first time the operations of a part are enqueued one by one, the
 * second time they are recorded too and made into a graph, and from then on the graph is launched
 * as one, after the operations were compared with the record. What is not as recorded is done one
 * by one, from there on, and recorded anew the next time.
 */
final class StepGraphs implements AutoCloseable {
  /** A part whose record did not fit so often is not recorded again. */
  private static final int MOST_MISMATCHES = 3;

  /** Graphs kept; parts beyond that are done one by one. */
  private static final int MOST_GRAPHS = 256;

  private static final class Part {
    private boolean met;
    private List<Call> calls;
    private CudaGraph graph;
    private int mismatches;

    void forget() {
      if (graph != null) {
        graph.close();
      }
      graph = null;
      calls = null;
    }
  }

  private final Queue queue;
  private final HostValues values;
  private final Map<Object, Part> parts = new HashMap<>();

  /** How often parts were done one by one, by the reason. */
  private final Map<String, Integer> hindrances = new LinkedHashMap<>();

  private boolean running;
  private long eager;
  private long recorded;
  private long replayed;
  private long mismatched;

  StepGraphs(Queue queue, HostValues values) {
    this.queue = queue;
    this.values = values;
  }

  /** Runs one part of a step. */
  void run(Object key, Runnable body) {
    if (running) {
      body.run();
      return;
    }
    Part part = parts.computeIfAbsent(key, k -> new Part());
    running = true;
    values.beginStep();
    try {
      if (part.graph != null) {
        replay(part, body);
      } else if (part.met && part.mismatches < MOST_MISMATCHES && recorded < MOST_GRAPHS) {
        record(part, body);
      } else {
        body.run();
        eager++;
      }
      part.met = true;
    } finally {
      values.endStep();
      running = false;
    }
  }

  private void record(Part part, Runnable body) {
    queue.record();
    attempt(body);
    List<Call> calls = queue.endRecord();
    if (calls == null) {
      part.mismatches++;
      hindered(queue.hindrance());
      eager++;
    } else if (!calls.isEmpty()) {
      graph(part, calls);
    }
  }

  /**
   * Makes a graph of what was just done one by one: where that fails, as on a GPU whose memory is
   * full, the part goes on like that.
   */
  private void graph(Part part, List<Call> calls) {
    try {
      part.graph = CudaGraph.capture(queue.stream(), () -> queue.issue(calls));
      part.calls = calls;
      recorded++;
    } catch (CudaException e) {
      if (queue.stream().context().isLost()) {
        throw e;
      }
      part.mismatches = MOST_MISMATCHES;
      hindered("no graph could be made: " + e.name());
      eager++;
    }
  }

  private void replay(Part part, Runnable body) {
    queue.replay(part.calls);
    attempt(body);
    if (queue.endReplay()) {
      values.upload();
      part.graph.launch(queue.stream());
      replayed++;
    } else {
      mismatched++;
      part.mismatches++;
      hindered(queue.hindrance());
      // an earlier launch may still be under way
      queue.stream().synchronize();
      part.forget();
    }
  }

  /** When the body fails, what it asked for until then is done all the same. */
  private void attempt(Runnable body) {
    boolean done = false;
    try {
      body.run();
      done = true;
    } finally {
      if (!done) {
        queue.outside("the part failed");
      }
    }
  }

  private void hindered(String reason) {
    hindrances.merge(reason, 1, Integer::sum);
  }

  /** What happened so far. */
  StepCounts counts() {
    return new StepCounts(eager, recorded, replayed, mismatched, Map.copyOf(hindrances));
  }

  @Override
  public void close() {
    parts.values().forEach(Part::forget);
    parts.clear();
  }
}
