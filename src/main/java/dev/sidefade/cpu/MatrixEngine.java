package dev.sidefade.cpu;

import dev.sidefade.ort.OrtLibrary;
import java.util.List;

/** Runs small models of matrices over raw memory: what {@link OrtGemm} stands on. */
interface MatrixEngine extends AutoCloseable {
  /** A dense row-major float matrix or vector at an address. */
  record Matrix(long address, long... dims) {
    public Matrix {
      bytes(dims);
    }

    long bytes() {
      return bytes(dims);
    }

    private static long bytes(long[] dims) {
      long bytes = Float.BYTES;
      for (long d : dims) {
        bytes = Math.multiplyExact(bytes, d);
      }
      return bytes;
    }
  }

  /** A loaded model; closed with its engine. */
  interface Model {
    /** Binds memory to all inputs and outputs, in the model's order. */
    Call bind(List<Matrix> inputs, List<Matrix> outputs);
  }

  /** A model bound to memory, which must be alive when it runs. */
  interface Call {
    void run();

    void close();
  }

  /**
   * Loads a model.
   *
   * @param onnx the model's bytes
   * @param inputs names in the order of {@link Model#bind}
   * @param outputs likewise
   */
  Model load(byte[] onnx, List<String> inputs, List<String> outputs);

  /** For people: how ONNX Runtime is called. */
  String describe();

  @Override
  void close();

  /**
   * ONNX Runtime's C API where its library can be reached, which allocates nothing on a call; its
   * Java API otherwise (its classes came from another class loader).
   */
  static MatrixEngine best(int threads) {
    return OrtLibrary.find()
        .<MatrixEngine>map(library -> new NativeEngine(library, threads))
        .orElseGet(() -> new JavaEngine(threads));
  }
}
