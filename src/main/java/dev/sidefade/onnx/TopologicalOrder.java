package dev.sidefade.onnx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * An order of nodes in which each stands behind those that it needs, as near to the given order as
 * can be.
 */
final class TopologicalOrder {
  private TopologicalOrder() {}

  static List<OnnxNode> of(OnnxGraph graph) {
    List<OnnxNode> nodes = graph.nodes();
    Map<String, Integer> producers = new HashMap<>();
    for (int i = 0; i < nodes.size(); i++) {
      for (String output : nodes.get(i).outputs()) {
        producers.put(output, i);
      }
    }
    List<List<Integer>> users = new ArrayList<>();
    nodes.forEach(_ -> users.add(new ArrayList<>()));
    int[] waitingFor = new int[nodes.size()];
    for (int i = 0; i < nodes.size(); i++) {
      for (String value : GraphEdit.valuesUsedBy(nodes.get(i))) {
        Integer producer = producers.get(value);
        if (producer != null) {
          users.get(producer).add(i);
          waitingFor[i]++;
        }
      }
    }
    PriorityQueue<Integer> ready = new PriorityQueue<>();
    for (int i = 0; i < waitingFor.length; i++) {
      if (waitingFor[i] == 0) {
        ready.add(i);
      }
    }
    List<OnnxNode> sorted = new ArrayList<>();
    while (!ready.isEmpty()) {
      int next = ready.remove();
      sorted.add(nodes.get(next));
      for (int user : users.get(next)) {
        if (--waitingFor[user] == 0) {
          ready.add(user);
        }
      }
    }
    refuseCycle(nodes, sorted, waitingFor);
    return sorted;
  }

  private static void refuseCycle(List<OnnxNode> nodes, List<OnnxNode> sorted, int[] waitingFor) {
    if (sorted.size() == nodes.size()) {
      return;
    }
    for (int i = 0; i < waitingFor.length; i++) {
      if (waitingFor[i] > 0) {
        throw Refusal.of(
            nodes.get(i) + " needs its own result, directly or through others; break the cycle");
      }
    }
  }
}
