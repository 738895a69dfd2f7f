package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.CudaQueue;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Storage;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.tensor.Transfer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Trunks bound to memory through the C API, here to the host's, where the Java API is the oracle:
 * same bits, mistakes refused, nothing left behind.
 */
class BoundTrunkTest {
  private static final String IMAGES = "vit_timm_dynamo20";
  private static final TapMemory HOST = new TapMemory.Host();

  private static Backbone load(String name) throws IOException {
    return Backbone.load(Golden.model(name + ".onnx"));
  }

  private static TrunkSpec allTaps(Backbone backbone) {
    return TrunkSpec.of(1, IntStream.range(0, backbone.taps().size()).boxed().toList());
  }

  private static List<float[]> values(List<Tensor> tensors) {
    return tensors.stream().map(Tensor::toFloats).toList();
  }

  private static void assertSameBits(List<float[]> expected, List<float[]> actual) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.get(i), "output " + i);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        IMAGES,
        "vit_timm_external_dynamo20",
        "vit_timm_avg_fcnorm_dynamo20",
        "vit_hf_legacy14",
        "bert_dynamo20",
        "roberta_legacy17",
        "distilbert_dynamo18",
        "minilm_legacy11"
      })
  void equalsTheJavaApiBitForBit(String name) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load(name)) {
      Golden golden = Golden.read(name, arena);
      TrunkSpec spec = allTaps(backbone);
      Trunk oracle = backbone.openTrunk(spec);
      try (BoundTrunk bound = BoundTrunk.open(backbone, spec, HOST)) {
        assertEquals(oracle.outputs(), bound.outputs());
        assertEquals(oracle.finalInput(), bound.finalInput());
        // larger, smaller, and the first again, each in memory of its own
        for (long batch : new long[] {2, 7, 1, 5, 2}) {
          Map<String, Tensor> feeds = Runs.repeated(golden, batch, arena);
          List<Tensor> expected = Runs.run(oracle, feeds, batch, arena);
          List<Tensor> actual = Runs.results(oracle, feeds, batch, arena);
          bound.run(feeds, batch, actual);
          bound.synchronize();
          assertSameBits(values(expected), values(actual));
          assertTrue(Math.abs(actual.getLast().get(0)) > 0);
        }
      }
    }
  }

  @Test
  void logitsAndTunedConstantsAreBoundToo() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load(IMAGES)) {
      Golden golden = Golden.read(IMAGES, arena);
      TrunkSpec spec =
          TrunkSpec.of(1, List.of(1))
              .withLogits()
              .withInputs(
                  List.of(Head.WEIGHT_INPUT, backbone.structure().norms().getFirst().scaleInput()));
      Trunk oracle = backbone.openTrunk(spec);
      try (BoundTrunk bound = BoundTrunk.open(backbone, spec, HOST)) {
        assertEquals(oracle.constants().keySet(), bound.constants().keySet());
        Map<String, Tensor> feeds = new LinkedHashMap<>(golden.inputs(0, 3));
        feeds.putAll(Runs.constants(oracle, arena));
        Tensor weight = feeds.get(Head.WEIGHT_INPUT);
        List<Tensor> actual = Runs.results(oracle, feeds, 3, arena);
        for (float value : new float[] {0.5f, -2}) {
          // written in place: the same memory with other values
          weight.set(3, value);
          bound.run(feeds, 3, actual);
          assertSameBits(values(Runs.run(oracle, feeds, 3, arena)), values(actual));
        }
      }
    }
  }

  @Test
  void textsOfAnyLengthFollowEachOther() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load("bert_dynamo20");
        BoundTrunk bound = BoundTrunk.open(backbone, allTaps(backbone), HOST)) {
      Trunk oracle = backbone.openTrunk(allTaps(backbone));
      Golden golden = Golden.read("bert_dynamo20", arena);
      for (int tokens : new int[] {11, 3, 8, 1, 11}) {
        Map<String, Tensor> feeds = new HashMap<>();
        golden
            .inputs(0, 3)
            .forEach((name, whole) -> feeds.put(name, firstTokens(whole, tokens, arena)));
        List<Tensor> actual = Runs.results(oracle, feeds, 3, arena);
        bound.run(feeds, 3, actual);
        assertSameBits(values(Runs.run(oracle, feeds, 3, arena)), values(actual));
      }
    }
  }

  @Test
  void resultsOfAnotherLengthThanTheTextsAreRefused() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load("bert_dynamo20");
        BoundTrunk bound = BoundTrunk.open(backbone, TrunkSpec.of(1, List.of(1)), HOST)) {
      Map<String, Tensor> feeds = Golden.read("bert_dynamo20", arena).inputs(0, 3);
      List<Tensor> right = new ArrayList<>();
      List<Tensor> longer = new ArrayList<>();
      for (TrunkOutput output : bound.outputs()) {
        right.add(Golden.zeros(arena, DType.F32, output.shape(3, 11)));
        longer.add(Golden.zeros(arena, DType.F32, output.shape(3, 12)));
      }
      failed(() -> bound.run(feeds, 3, longer), "12");
      bound.run(feeds, 3, right);
      assertTrue(Math.abs(right.getFirst().get(0)) > 0);
      assertEquals(0, longer.getFirst().get(0));
    }
  }

  private static Tensor firstTokens(Tensor whole, int tokens, Arena arena) {
    Tensor part = Golden.zeros(arena, whole.dtype(), whole.dim(0), tokens);
    for (long row = 0; row < whole.dim(0); row++) {
      part.slice(row * tokens, tokens).copyFrom(whole.slice(row * whole.dim(1), tokens));
    }
    return part;
  }

  @Test
  void resultsAreWrittenInPlaceAndNowhereElse() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load(IMAGES);
        BoundTrunk bound = BoundTrunk.open(backbone, TrunkSpec.of(1, List.of(2)), HOST)) {
      Golden golden = Golden.read(IMAGES, arena);
      long row = 10 * 32;
      Tensor around = Golden.zeros(arena, DType.F32, 3 * row);
      for (long i = 0; i < around.size(); i++) {
        around.set(i, -77);
      }
      bound.run(golden.inputs(2, 3), 1, List.of(around.slice(row, 1, 10, 32)));
      Runs.assertClose(
          Golden.rows(golden.get("tap.2"), 2, 3), around.slice(row, 1, 10, 32), "tap 2");
      for (long i = 0; i < row; i++) {
        assertEquals(-77, around.get(i));
        assertEquals(-77, around.get(2 * row + i));
      }
    }
  }

  @Test
  void wrongTensorsAreNamed() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load(IMAGES);
        BoundTrunk bound = BoundTrunk.open(backbone, TrunkSpec.of(1, List.of(2)), HOST)) {
      Golden golden = Golden.read(IMAGES, arena);
      Map<String, Tensor> feeds = golden.inputs(0, 3);
      Tensor tap = Golden.zeros(arena, DType.F32, 3, 10, 32);
      List<Tensor> taps = List.of(tap);
      refused(() -> bound.run(feeds, 3, List.of()), "1 tensors, but 0");
      refused(() -> bound.run(feeds, 2, taps), "batch of 2");
      refused(() -> bound.run(feeds, 3, List.of(Golden.rows(tap, 0, 2))), "result 0");
      refused(() -> bound.run(Map.of(), 3, taps), "[image]");
      Map<String, Tensor> half = Map.of("image", Golden.zeros(arena, DType.F16, 3, 3, 24, 24));
      refused(() -> bound.run(half, 3, taps), "F16");
      refused(() -> bound.run(feeds, 3, List.of(onDevice(3, 10, 32))), "TapMemory.Cuda");
      // what only ONNX Runtime can know
      failed(
          () -> bound.run(Map.of("image", Golden.zeros(arena, DType.F32, 3, 3, 7, 24)), 3, taps),
          "image");
      failed(
          () -> bound.run(Map.of("image", Golden.zeros(arena, DType.I64, 3, 3, 24, 24)), 3, taps),
          "int64");
      bound.run(feeds, 3, taps);
      Runs.assertClose(golden.get("tap.2"), tap, "after mistakes");
    }
  }

  private static Tensor onDevice(long... dims) {
    Shape shape = Shape.of(dims);
    return Tensor.owning(
        shape, DType.F32, Storage.device(4096, shape.size() * 4, new NoTransfer(), () -> {}));
  }

  private static final class NoTransfer implements Transfer {
    @Override
    public void toHost(long address, MemorySegment target) {
      throw new AssertionError();
    }

    @Override
    public void toDevice(MemorySegment source, long address) {
      throw new AssertionError();
    }

    @Override
    public void within(long from, long to, long bytes) {
      throw new AssertionError();
    }

    @Override
    public void zero(long address, long bytes) {
      throw new AssertionError();
    }
  }

  private static void refused(Runnable run, String part) {
    String message = assertThrows(IllegalArgumentException.class, run::run).getMessage();
    assertTrue(message.contains(part), message);
  }

  private static void failed(Runnable run, String part) {
    String message = assertThrows(IllegalStateException.class, run::run).getMessage();
    assertTrue(message.startsWith("the backbone failed on a batch of 3: "), message);
    assertTrue(message.contains(part), message);
  }

  @Test
  void whatDoesNotExistIsRefused() throws IOException {
    try (Backbone backbone = load(IMAGES)) {
      TrunkSpec none = TrunkSpec.of(1, List.of(9));
      assertThrows(BadInputException.class, () -> BoundTrunk.open(backbone, none, HOST));
    }
  }

  @Test
  void withoutTheCudaProviderThereIsAReason() throws IOException {
    TapMemory cuda = new TapMemory.Cuda(new CudaQueue(0, 0));
    assertEquals(Optional.empty(), HOST.unavailable());
    assertEquals(TapMemory.cudaUnavailable(), cuda.unavailable());
    Assumptions.assumeTrue(cuda.unavailable().isPresent(), "ONNX Runtime has a CUDA provider");
    String reason = cuda.unavailable().get();
    assertTrue(reason.contains("CUDA provider"), reason);
    try (Backbone backbone = load(IMAGES)) {
      String message =
          assertThrows(
                  IllegalStateException.class,
                  () -> BoundTrunk.open(backbone, allTaps(backbone), cuda))
              .getMessage();
      assertTrue(message.contains(reason), message);
    }
  }

  @Test
  void aClosedTrunkSaysSo() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load(IMAGES)) {
      Golden golden = Golden.read(IMAGES, arena);
      BoundTrunk bound = BoundTrunk.open(backbone, TrunkSpec.of(1, List.of(2)), HOST);
      bound.close();
      bound.close();
      List<Tensor> taps = List.of(Golden.zeros(arena, DType.F32, 3, 10, 32));
      assertThrows(IllegalStateException.class, () -> bound.run(golden.inputs(0, 3), 3, taps));
      assertThrows(IllegalStateException.class, bound::synchronize);
    }
  }

  @Test
  void anotherThreadMayTakeItOver() throws Exception {
    try (Arena arena = Arena.ofShared();
        Backbone backbone = load(IMAGES);
        BoundTrunk bound = BoundTrunk.open(backbone, TrunkSpec.of(2, List.of(2)), HOST)) {
      Golden golden = Golden.read(IMAGES, arena);
      Tensor tap = Golden.zeros(arena, DType.F32, 3, 10, 32);
      Thread other = new Thread(() -> bound.run(golden.inputs(0, 3), 3, List.of(tap)));
      other.start();
      other.join();
      Runs.assertClose(golden.get("tap.2"), tap, "by the other thread");
      tap.zero();
      bound.run(golden.inputs(0, 3), 3, List.of(tap));
      Runs.assertClose(golden.get("tap.2"), tap, "by this thread");
    }
  }

  @Test
  void runsOverKnownMemoryLeaveLittleGarbage() throws IOException {
    com.sun.management.ThreadMXBean threads =
        (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load("bert_dynamo20");
        BoundTrunk bound = BoundTrunk.open(backbone, allTaps(backbone), HOST)) {
      Map<String, Tensor> feeds = Golden.read("bert_dynamo20", arena).inputs(0, 3);
      Trunk oracle = backbone.openTrunk(allTaps(backbone));
      List<Tensor> results = Runs.results(oracle, feeds, 3, arena);
      long before = 0;
      int runs = 200;
      for (int i = -300; i < runs; i++) {
        before = i == 0 ? threads.getCurrentThreadAllocatedBytes() : before;
        bound.run(feeds, 3, results);
      }
      long each = (threads.getCurrentThreadAllocatedBytes() - before) / runs;
      assertTrue(each < 4096, each + " bytes a run");
    }
  }

  @Test
  void nothingNativeIsLeftBehind() throws IOException {
    Assumptions.assumeTrue(nativeMemory().isPresent(), "needs glibc to count native memory");
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load(IMAGES)) {
      Golden golden = Golden.read(IMAGES, arena);
      Map<String, Tensor> feeds = golden.inputs(0, 3);
      List<List<Tensor>> results = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        results.add(
            List.of(
                Golden.zeros(arena, DType.F32, 3, 10, 32),
                Golden.zeros(arena, DType.F32, 3, 10, 32)));
      }
      openRunAndClose(backbone, feeds, results, 15);
      long before = nativeMemory().getAsLong();
      long one;
      try (BoundTrunk bound = BoundTrunk.open(backbone, TrunkSpec.of(1, List.of(0, 2)), HOST)) {
        bound.run(feeds, 3, results.getFirst());
        one = nativeMemory().getAsLong() - before;
      }
      assertTrue(one > 100_000, "a session takes " + one + " bytes");
      openRunAndClose(backbone, feeds, results, 40);
      long grown = nativeMemory().getAsLong() - before;
      assertTrue(grown < 40 * one / 4, grown + " bytes more, a session takes " + one);
    }
  }

  private static void openRunAndClose(
      Backbone backbone, Map<String, Tensor> feeds, List<List<Tensor>> results, int times) {
    for (int i = 0; i < times; i++) {
      try (BoundTrunk bound = BoundTrunk.open(backbone, TrunkSpec.of(1, List.of(0, 2)), HOST)) {
        for (int run = 0; run < 20; run++) {
          // changing memory, so that what is bound is made anew
          bound.run(feeds, 3, results.get(run % 2));
        }
      }
    }
  }

  /** Bytes that are allocated and not given back, by glibc's count; empty elsewhere. */
  private static OptionalLong nativeMemory() {
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> count = linker.defaultLookup().find("mallinfo2");
    if (count.isEmpty()) {
      return OptionalLong.empty();
    }
    // ten sizes, of which the fifth is what is mapped and the eighth what is in use otherwise
    MemoryLayout sizes =
        MemoryLayout.structLayout(MemoryLayout.sequenceLayout(10, ValueLayout.JAVA_LONG));
    try (Arena arena = Arena.ofConfined()) {
      MethodHandle call = linker.downcallHandle(count.get(), FunctionDescriptor.of(sizes));
      MemorySegment found = (MemorySegment) call.invokeExact((SegmentAllocator) arena);
      return OptionalLong.of(
          found.getAtIndex(ValueLayout.JAVA_LONG, 4) + found.getAtIndex(ValueLayout.JAVA_LONG, 7));
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void theClosingOrderIsFree() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = load(IMAGES)) {
      Golden golden = Golden.read(IMAGES, arena);
      Tensor tap = Golden.zeros(arena, DType.F32, 3, 10, 32);
      List<BoundTrunk> open = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        open.add(BoundTrunk.open(backbone, TrunkSpec.of(1, List.of(2)), HOST));
      }
      open.remove(1).close();
      open.removeFirst().close();
      for (BoundTrunk trunk : open) {
        tap.zero();
        trunk.run(golden.inputs(0, 3), 3, List.of(tap));
        Runs.assertClose(golden.get("tap.2"), tap, "the others live on");
      }
      open.forEach(BoundTrunk::close);
      assertFalse(Float.isNaN(tap.get(0)));
    }
  }
}
