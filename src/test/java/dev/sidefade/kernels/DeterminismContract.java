package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The same bits from every call, from every way to open the backend, and from tensors at any
 * address.
 */
public interface DeterminismContract extends KernelContract {

  @TestFactory
  default List<DynamicTest> sameBitsWhateverTheThreadsAndHoweverOften() {
    List<DynamicTest> tests = new ArrayList<>();
    for (Calls calls : new Calls[] {new Calls(1, 1, 2, 3), new Calls(5, 14, 34, 97)}) {
      for (Calls.Call call : calls.all()) {
        tests.add(
            DynamicTest.dynamicTest(
                call.name() + ", " + calls.rows + " rows", () -> sameBits(call)));
      }
    }
    return tests;
  }

  private void sameBits(Calls.Call call) {
    List<int[]> first = null;
    for (Supplier<Device> way : alternatives()) {
      try (Lab lab = new Lab(way.get())) {
        for (int again = 0; again < 3; again++) {
          List<int[]> got = outputs(lab, call);
          first = first == null ? got : first;
          same(call, first, got);
        }
      }
    }
  }

  /** What a compiler or an autotuner changes while a program runs must not change results. */
  @TestFactory
  default List<DynamicTest> sameBitsFromTheFirstCallAndAfterManyCalls() {
    return new Calls(2, 4, 34, 97)
        .all().stream()
            .map(call -> DynamicTest.dynamicTest(call.name(), () -> manyCalls(call)))
            .toList();
  }

  private void manyCalls(Calls.Call call) {
    try (Lab lab = new Lab(open())) {
      List<int[]> first = outputs(lab, call);
      Tensor[] tensors = call.tensors(lab);
      for (int i = 0; i < 600; i++) {
        call.invocation().run(lab.kernels(), tensors);
      }
      lab.finish();
      same(call, first, outputs(lab, call));
    }
  }

  @TestFactory
  default List<DynamicTest> tensorsMayStartAtAnyElement() {
    return new Calls(3, 4, 14, 37)
        .all().stream()
            .map(call -> DynamicTest.dynamicTest(call.name(), () -> anyStart(call)))
            .toList();
  }

  private void anyStart(Calls.Call call) {
    try (Lab aligned = new Lab(open());
        Lab odd = new Lab(open(), 17)) {
      same(call, outputs(aligned, call), outputs(odd, call));
    }
  }

  private static List<int[]> outputs(Lab lab, Calls.Call call) {
    Tensor[] tensors = call.tensors(lab);
    call.invocation().run(lab.kernels(), tensors);
    List<int[]> outputs = new ArrayList<>();
    for (int i = 0; i < tensors.length; i++) {
      if (call.arguments().get(i).changed()) {
        outputs.add(lab.readBits(tensors[i]));
      }
    }
    lab.finish();
    return outputs;
  }

  private static void same(Calls.Call call, List<int[]> want, List<int[]> got) {
    List<String> names =
        call.arguments().stream()
            .filter(Calls.Argument::changed)
            .map(Calls.Argument::name)
            .toList();
    for (int i = 0; i < names.size(); i++) {
      assertArrayEquals(want.get(i), got.get(i), call.name() + ": bits of " + names.get(i));
    }
  }
}
