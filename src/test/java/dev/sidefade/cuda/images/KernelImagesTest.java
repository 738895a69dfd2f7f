package dev.sidefade.cuda.images;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What the compiled kernels must and must not contain: budgets from ptxas' report, instructions
 * from the PTX, and from the machine code where {@code cuobjdump} is on the PATH.
 */
class KernelImagesTest {
  /** Where {@code kernels/build} put the images, reports and PTX. */
  private static final Path IMAGES = Path.of("target", "kernels");

  private static final Path SOURCES = Path.of("kernels");

  /** Registers of a multiprocessor of every architecture built for. */
  private static final int REGISTERS = 65536;

  private static final int STATIC_SHARED = 48 * 1024;

  private static final List<String> ARCHITECTURES =
      List.of("sm_75", "sm_80", "sm_90", "sm_100", "sm_120");

  /** Kernels that multiply on tensor cores, from copies that run ahead. */
  private static final Pattern TENSOR_CORES =
      Pattern.compile("(ladder_project(_backward)?|feature_matching)_(f16|bf16)_\\d+");

  /** Kernels that only move data: they must do so 16 bytes at a time. */
  private static final Pattern WIDE =
      Pattern.compile("add|gelu|adamw|layer_norm_(f32|f16|bf16)_\\d+|logit_distillation_row.*");

  private static List<Path> files(Path folder, String end) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(f -> f.toString().endsWith(end)).sorted().toList();
    }
  }

  private static void assumeBuilt() throws IOException {
    assumeTrue(
        Files.isDirectory(IMAGES) && !files(IMAGES, ".fatbin").isEmpty(),
        "the CUDA kernels were not built: there is no nvcc on the PATH");
  }

  private static List<KernelReport> reports() throws IOException {
    List<KernelReport> reports = new ArrayList<>();
    for (Path file : files(IMAGES, ".ptxas")) {
      reports.addAll(KernelReport.parse(Files.readAllLines(file)));
    }
    return reports;
  }

  private static Map<String, Listing.Kernel> ptx() throws IOException {
    Map<String, Listing.Kernel> kernels = new TreeMap<>();
    for (Path file : files(IMAGES, ".ptx")) {
      kernels.putAll(Listing.ptx(Files.readAllLines(file)));
    }
    return kernels;
  }

  private static void none(String rule, List<String> offenders) {
    assertEquals(List.of(), offenders, rule);
  }

  @Test
  void everySourceHasAnImageOfEveryKernelForEveryArchitecture() throws IOException {
    assumeBuilt();
    for (Path source : files(SOURCES, ".cu")) {
      String name = source.getFileName().toString().replace(".cu", "");
      assertTrue(Files.size(IMAGES.resolve(name + ".fatbin")) > 0, name);
      TreeSet<String> kernels =
          new TreeSet<>(Listing.ptx(Files.readAllLines(IMAGES.resolve(name + ".ptx"))).keySet());
      assertFalse(kernels.isEmpty(), name);
      Map<String, TreeSet<String>> byArchitecture = new TreeMap<>();
      for (KernelReport report :
          KernelReport.parse(Files.readAllLines(IMAGES.resolve(name + ".ptxas")))) {
        byArchitecture
            .computeIfAbsent(report.architecture(), a -> new TreeSet<>())
            .add(report.kernel());
      }
      assertEquals(new TreeSet<>(ARCHITECTURES), byArchitecture.keySet(), name);
      byArchitecture.forEach((architecture, some) -> assertEquals(kernels, some, architecture));
    }
  }

  @Test
  void nothingSpills() throws IOException {
    assumeBuilt();
    none(
        "spilled registers or a stack frame",
        reports().stream()
            .filter(r -> r.spillBytes() > 0 || r.stackBytes() > 0)
            .map(KernelReport::toString)
            .toList());
  }

  @Test
  void aBlockFitsTheRegistersAndTheSharedMemory() throws IOException {
    assumeBuilt();
    Map<String, Listing.Kernel> kernels = ptx();
    List<String> large = new ArrayList<>();
    for (KernelReport report : reports()) {
      int threads = kernels.get(report.kernel()).threads();
      assertTrue(threads > 0, () -> report.kernel() + " has no launch bounds");
      // registers are given out to a thread in steps of 8
      long registers = (report.registers() + 7) / 8 * 8L * threads;
      if (registers > REGISTERS || report.sharedBytes() > STATIC_SHARED) {
        large.add(report + " with " + threads + " threads");
      }
    }
    none("more than a multiprocessor has", large);
  }

  @Test
  void noKernelAddsFloatsAtomicallyCallsFunctionsOrUsesDoubles() throws IOException {
    assumeBuilt();
    Pattern bad =
        Pattern.compile(
            "(atom|red)\\.[\\w.:]*f(16|32|64)[\\w.]*|call|(add|mul|fma|div|sub|sqrt)\\.[\\w.]*f64");
    none("float atomics, calls, doubles", with(ptx(), Pattern.compile(".*"), bad));
  }

  @Test
  void tensorCoresAreFedByCopiesThatRunAhead() throws IOException {
    assumeBuilt();
    Map<String, Listing.Kernel> kernels = ptx();
    assertTrue(kernels.keySet().stream().filter(TENSOR_CORES.asMatchPredicate()).count() >= 6);
    for (String needed : List.of("mma\\.sync.*", "cp\\.async\\.c.*")) {
      none(needed, without(kernels, TENSOR_CORES, Pattern.compile(needed)));
    }
  }

  @Test
  void whatOnlyMovesDataMovesSixteenBytesAtATime() throws IOException {
    assumeBuilt();
    Map<String, Listing.Kernel> kernels = ptx();
    assertTrue(kernels.keySet().stream().filter(WIDE.asMatchPredicate()).count() >= 10);
    none("wide loads", without(kernels, WIDE, Pattern.compile("ld\\.global[\\w.:]*\\.v4.*")));
    none("wide stores", without(kernels, WIDE, Pattern.compile("st\\.global[\\w.:]*\\.v4.*")));
  }

  @Test
  void machineCodeKeepsTheSameRules() throws IOException, InterruptedException {
    assumeBuilt();
    Map<String, Listing.Kernel> kernels = new TreeMap<>();
    for (Path image : files(IMAGES, ".fatbin")) {
      kernels.putAll(Listing.sass(sass(image)));
    }
    assertFalse(kernels.isEmpty());
    Pattern bad =
        Pattern.compile(
            "(LDL|STL)(\\.\\w+)*|(ATOM|ATOMG|RED|REDG)(\\.\\w+)*\\.F(16|32|64)\\S*"
                + "|(CALL|D(ADD|MUL|FMA|SETP))(\\.\\w+)*");
    none("local memory, float atomics, calls, doubles", with(kernels, Pattern.compile(".*"), bad));
    Pattern tensorCores = Pattern.compile("sm_(80|90|100|120) " + TENSOR_CORES.pattern());
    for (String needed : List.of("HMMA\\.16816\\.F32.*", "LDGSTS\\.E.*\\.128.*")) {
      none(needed, without(kernels, tensorCores, Pattern.compile(needed)));
    }
  }

  private static List<String> sass(Path image) throws IOException, InterruptedException {
    Process process;
    try {
      process = new ProcessBuilder("cuobjdump", "-sass", image.toString()).start();
    } catch (IOException e) {
      assumeTrue(false, "there is no cuobjdump on the PATH; the PTX was looked at instead");
      throw e;
    }
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), image.toString());
    return text.lines().toList();
  }

  private static List<String> with(
      Map<String, Listing.Kernel> kernels, Pattern names, Pattern instruction) {
    return kernels.entrySet().stream()
        .filter(e -> names.matcher(e.getKey()).matches() && e.getValue().count(instruction) > 0)
        .map(Map.Entry::getKey)
        .toList();
  }

  private static List<String> without(
      Map<String, Listing.Kernel> kernels, Pattern names, Pattern instruction) {
    return kernels.entrySet().stream()
        .filter(e -> names.matcher(e.getKey()).matches() && e.getValue().count(instruction) == 0)
        .map(Map.Entry::getKey)
        .toList();
  }

  @Test
  void readsWhatPtxasSays() {
    List<KernelReport> reports =
        KernelReport.parse(
            List.of(
                "ptxas info    : Compiling entry function 'add' for 'sm_80'",
                "ptxas info    : Function properties for add",
                "    8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads",
                "ptxas info    : Used 38 registers, used 1 barriers, 400 bytes smem",
                "ptxas info    : Compiling entry function 'mul' for 'sm_90'",
                "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads",
                "ptxas info    : Used 12 registers, 368 bytes cmem[0]"));
    assertEquals(
        List.of(
            new KernelReport("add", "sm_80", 38, 8, 16, 400),
            new KernelReport("mul", "sm_90", 12, 0, 0, 0)),
        reports);
  }

  @Test
  void readsListings() {
    Map<String, Listing.Kernel> ptx =
        Listing.ptx(
            List.of(
                ".visible .entry add(",
                ".maxntid 256",
                "ld.global.nc.v4.f32 \t{%f1, %f2}, [%rd4];",
                "@%p1 bra \t$L__BB0_2;",
                "@!%p2 ld.global.nc.v4.f32 \t{%f1, %f2}, [%rd4];",
                "{ mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f1}, {%r1};"));
    assertEquals(256, ptx.get("add").threads());
    assertEquals(2, ptx.get("add").count(Pattern.compile("ld\\.global.*v4.*")));
    assertEquals(1, ptx.get("add").count(Pattern.compile("mma\\.sync.*")));
    Map<String, Listing.Kernel> sass =
        Listing.sass(
            List.of(
                "arch = sm_80",
                "\t\tFunction : add",
                "        /*0010*/                   LDG.E.128 R4, [R2.64] ;",
                "        /*0020*/              @!P0 LDG.E.128 R8, [R2.64] ;"));
    assertEquals(2, sass.get("sm_80 add").count(Pattern.compile("LDG\\.E\\.128")));
  }
}
