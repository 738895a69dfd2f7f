package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every tensor of every operation, once of another shape and once closed. */
public interface ArgumentContract extends KernelContract {

  private static List<Calls.Call> calls() {
    return new Calls(2, 2, 6, 5).all();
  }

  @TestFactory
  default List<DynamicTest> shapesThatDoNotFitAreRefusedNamingBoth() {
    return calls().stream()
        .map(call -> DynamicTest.dynamicTest(call.name(), () -> wrongShapes(call)))
        .toList();
  }

  private void wrongShapes(Calls.Call call) {
    try (Lab lab = new Lab(open())) {
      for (int i = 0; i < call.arguments().size(); i++) {
        if (call.arguments().get(i).free()) {
          continue;
        }
        for (int change : new int[] {1, -1}) {
          Calls.Argument argument = call.arguments().get(i);
          long[] dims = argument.dims().clone();
          dims[dims.length - 1] += change;
          if (dims[dims.length - 1] > 0) {
            refused(lab, call, i, dims);
          }
        }
        refusedRows(lab, call, i);
      }
    }
  }

  private static void refusedRows(Lab lab, Calls.Call call, int i) {
    long[] dims = call.arguments().get(i).dims().clone();
    if (dims.length > 1) {
      dims[0] += 1;
      refused(lab, call, i, dims);
    }
  }

  private static void refused(Lab lab, Calls.Call call, int i, long[] dims) {
    Tensor[] tensors = call.tensors(lab);
    tensors[i] = lab.out(dims);
    String what =
        call.name() + " with " + call.arguments().get(i).name() + " of shape " + tensors[i].shape();
    IllegalArgumentException error =
        assertThrows(
            IllegalArgumentException.class,
            () -> call.invocation().run(lab.kernels(), tensors),
            what);
    String message = String.valueOf(error.getMessage());
    assertTrue(namesBoth(message, tensors), what + " says only: " + message);
    lab.finish();
  }

  /**
   * Whether the shape of one of the tensors is in the message, and beside it numbers of what it
   * should fit.
   */
  private static boolean namesBoth(String message, Tensor[] tensors) {
    return Arrays.stream(tensors)
        .map(t -> t.shape().toString())
        .anyMatch(s -> message.contains(s) && message.replace(s, "").matches(".*[0-9].*"));
  }

  @TestFactory
  default List<DynamicTest> closedTensorsAreRefusedByEveryOperation() {
    return calls().stream()
        .map(call -> DynamicTest.dynamicTest(call.name(), () -> closed(call)))
        .toList();
  }

  private void closed(Calls.Call call) {
    try (Device device = open()) {
      Lab lab = new Lab(device);
      for (int i = 0; i < call.arguments().size(); i++) {
        Tensor[] tensors = call.tensors(lab);
        tensors[i] = device.allocate(call.arguments().get(i).dims());
        tensors[i].close();
        assertThrows(
            IllegalStateException.class,
            () -> call.invocation().run(lab.kernels(), tensors),
            call.name() + " with closed " + call.arguments().get(i).name());
        lab.finish();
      }
    }
  }
}
