package dev.sidefade.kernels;

import dev.sidefade.tensor.Tensor;
import java.io.PrintStream;
import java.util.Arrays;

/**
 * Prints one line per operation with a hash of the bits of its results: {@code CallBits backend
 * threads warm-up-calls}. Tests start it in Java processes of their own, where nothing is compiled
 * yet or nothing ever is.
 */
public final class CallBits {
  private CallBits() {}

  public static void main(String[] arguments) {
    int warmUp = Integer.parseInt(arguments[2]);
    try (Lab lab = new Lab(Device.open(arguments[0], Integer.parseInt(arguments[1])))) {
      for (Calls.Call call : new Calls(2, 3, 34, 97).all()) {
        print(lab, call, warmUp, System.out);
      }
    }
  }

  private static void print(Lab lab, Calls.Call call, int warmUp, PrintStream out) {
    Tensor[] warm = call.tensors(lab);
    for (int i = 0; i < warmUp; i++) {
      call.invocation().run(lab.kernels(), warm);
    }
    Tensor[] tensors = call.tensors(lab);
    call.invocation().run(lab.kernels(), tensors);
    StringBuilder line = new StringBuilder(call.name());
    for (int i = 0; i < tensors.length; i++) {
      Calls.Argument argument = call.arguments().get(i);
      if (argument.changed()) {
        line.append(
            String.format(" %s=%08x", argument.name(), Arrays.hashCode(lab.readBits(tensors[i]))));
      }
    }
    lab.finish();
    out.println(line);
  }
}
