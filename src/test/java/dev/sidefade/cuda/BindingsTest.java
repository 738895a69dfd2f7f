package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The generated bindings against the C prototypes that jextract put beside them, read from the
 * sources: no driver is needed. Every type that occurs must be known here.
 */
class BindingsTest {
  private static final Path FFI = Path.of("src/main/java/dev/sidefade/cuda/ffi");
  private static final Path LISTS = Path.of("tools/jextract");

  /** C types that are neither pointers nor handles. size_t and addresses are 64-bit on Linux. */
  private static final Map<String, String> NUMBERS =
      Map.ofEntries(
          Map.entry("int", "INT"),
          Map.entry("unsigned int", "INT"),
          Map.entry("unsigned char", "CHAR"),
          Map.entry("unsigned short", "SHORT"),
          Map.entry("float", "FLOAT"),
          Map.entry("size_t", "LONG"),
          Map.entry("uint64_t", "LONG"),
          Map.entry("int64_t", "LONG"),
          Map.entry("long long", "LONG_LONG"),
          Map.entry("unsigned long long", "LONG_LONG"),
          Map.entry("CUdeviceptr", "LONG_LONG"),
          Map.entry("CUdevice", "INT"));

  /** C enumerations, all of which are ints. */
  private static final Set<String> ENUMERATIONS =
      Set.of(
          "CUresult",
          "CUdevice_attribute",
          "CUfunction_attribute",
          "CUfunc_cache",
          "CUmemPool_attribute",
          "CUpointer_attribute",
          "CUstreamCaptureMode",
          "cublasStatus_t",
          "cublasOperation_t",
          "cublasComputeType_t",
          "cublasGemmAlgo_t",
          "cublasMath_t",
          "cublasAtomicsMode_t",
          "cublasPointerMode_t",
          "cudaDataType",
          "cudaDataType_t",
          "cublasLtMatmulDescAttributes_t",
          "cublasLtMatrixLayoutAttribute_t",
          "cublasLtMatmulPreferenceAttributes_t");

  /** Opaque handles and function types, all of which are pointers. */
  private static final Set<String> HANDLES =
      Set.of(
          "CUcontext",
          "CUmodule",
          "CUlibrary",
          "CUkernel",
          "CUfunction",
          "CUstream",
          "CUevent",
          "CUgraph",
          "CUgraphExec",
          "CUmemoryPool",
          "CUoccupancyB2DSize",
          "cudaStream_t",
          "cublasHandle_t",
          "cublasLtHandle_t",
          "cublasLtMatmulDesc_t",
          "cublasLtMatrixLayout_t",
          "cublasLtMatmulPreference_t");

  private static final Pattern DESCRIPTOR =
      Pattern.compile(
          "static class (\\w+) \\{\\s*public static final FunctionDescriptor DESC ="
              + " FunctionDescriptor\\.of\\(([^)]*)\\);\\s*public static final MemorySegment ADDR ="
              + " SYMBOL_LOOKUP\\.findOrThrow\\(\"(\\w+)\"\\);");
  private static final Pattern WRAPPER =
      Pattern.compile(
          "\\{@snippet lang=c :\\s*\\* ([^\\n]*)\\s*\\* }\\s*\\*/\\s*"
              + "public static (\\w+) (\\w+)\\(([^)]*)\\) \\{\\s*var mh\\$");
  private static final Pattern CONSTANT =
      Pattern.compile(
          "private static final int (\\w+) = \\(int\\)(-?\\d+)L;\\s*/\\*\\*\\s*\\* \\{@snippet"
              + " lang=c :\\s*\\* ([^\\n]*)");

  /**
   * On the lists, but not generated: cuda.h renames the first to its _v2, the next two are of
   * another header, and cublasLt.h gives the structs names of their own behind a typedef.
   */
  private static final Map<String, Set<String>> NOT_GENERATED =
      Map.of(
          "cuda-driver",
          Set.of("cuEventElapsedTime", "cuProfilerStart", "cuProfilerStop"),
          "cublaslt",
          Set.of("cublasLtMatmulAlgo_t", "cublasLtMatmulHeuristicResult_t"));

  private record Function(String prototype, List<String> layouts, List<String> javaTypes) {}

  private static String source(String name) throws IOException {
    return Files.readString(FFI.resolve(name + ".java"), StandardCharsets.UTF_8);
  }

  private static List<String> split(String list) {
    return Arrays.stream(list.split(",")).map(String::strip).filter(s -> !s.isEmpty()).toList();
  }

  /** Result first, then parameters. */
  private static Map<String, Function> functions(String name) throws IOException {
    String text = source(name);
    Map<String, Function> all = new TreeMap<>();
    Map<String, List<String>> layouts = new HashMap<>();
    Matcher d = DESCRIPTOR.matcher(text);
    while (d.find()) {
      assertEquals(d.group(1), d.group(3), "symbol that is looked up");
      layouts.put(
          d.group(1), split(d.group(2)).stream().map(l -> l.replace(name + ".C_", "")).toList());
    }
    Matcher w = WRAPPER.matcher(text);
    while (w.find()) {
      List<String> types = new ArrayList<>(List.of(w.group(2)));
      split(w.group(4)).forEach(p -> types.add(p.substring(0, p.indexOf(' '))));
      assertTrue(layouts.containsKey(w.group(3)), "descriptor of " + w.group(3));
      all.put(w.group(3), new Function(w.group(1).strip(), layouts.get(w.group(3)), types));
    }
    assertEquals(layouts.keySet(), all.keySet(), "every descriptor has a prototype");
    assertEquals(count(text, "$descriptor() {"), all.size(), "no generated function is skipped");
    assertEquals(count(text, "FunctionDescriptor.of"), all.size(), "no descriptor is skipped");
    return all;
  }

  private static int count(String text, String what) {
    return (text.length() - text.replace(what, "").length()) / what.length();
  }

  private static String layout(String type) {
    String bare = type.replace("const ", "").strip();
    if (bare.endsWith("*") || bare.endsWith("]") || HANDLES.contains(bare)) {
      return "POINTER";
    }
    String number = ENUMERATIONS.contains(bare) ? "INT" : NUMBERS.get(bare);
    assertNotNull(number, "C type that the test does not know: " + type);
    return number;
  }

  private static String javaType(String layout) {
    return switch (layout) {
      case "POINTER" -> "MemorySegment";
      case "INT" -> "int";
      case "LONG", "LONG_LONG" -> "long";
      case "FLOAT" -> "float";
      case "CHAR" -> "byte";
      case "SHORT" -> "short";
      default -> throw new AssertionError(layout);
    };
  }

  /** "CUresult cuInit(unsigned int Flags)" to the layouts of result and parameters. */
  private static List<String> layouts(String prototype, String name) {
    int open = prototype.indexOf('(');
    String result = prototype.substring(0, open).strip();
    assertTrue(result.endsWith(name), prototype);
    List<String> all = new ArrayList<>();
    all.add(layout(result.substring(0, result.length() - name.length()).strip()));
    for (String p : split(prototype.substring(open + 1, prototype.lastIndexOf(')')))) {
      if (p.equals("void")) {
        continue;
      }
      // the name is what is left of the last word once stars are the type's
      Matcher named = Pattern.compile("(.*?[ *])(\\w+)(\\[\\d*])?").matcher(p);
      assertTrue(named.matches(), p);
      all.add(layout(named.group(1).strip() + (named.group(3) == null ? "" : "[]")));
    }
    return all;
  }

  @ParameterizedTest
  @CsvSource({"CudaDriver, 96", "Cublas, 16", "CublasLt, 16"})
  void everyDescriptorIsThatOfItsPrototype(String file, int atLeast) throws IOException {
    Map<String, Function> functions = functions(file);
    assertTrue(functions.size() >= atLeast, file + " has " + functions.size() + " functions");
    functions.forEach((name, f) -> {
      List<String> expected = layouts(f.prototype(), name);
      assertEquals(expected, f.layouts(), f.prototype());
      assertEquals(expected.stream().map(BindingsTest::javaType).toList(), f.javaTypes(), name);
    });
  }

  @ParameterizedTest
  @CsvSource({"CudaDriver, 74", "Cublas, 24", "CublasLt, 19"})
  void everyConstantIsThatOfItsComment(String file, int expected) throws IOException {
    Matcher m = CONSTANT.matcher(source(file));
    int seen = 0;
    while (m.find()) {
      String[] words = m.group(3).strip().split("[ =.]+");
      assertTrue(m.group(3).contains(m.group(1)), m.group(3));
      assertEquals(Long.parseLong(m.group(2)), Long.decode(words[words.length - 1]), m.group(1));
      seen++;
    }
    assertEquals(expected, seen);
  }

  @ParameterizedTest
  @CsvSource({"cuda-driver, CudaDriver", "cublas, Cublas", "cublaslt, CublasLt"})
  void everythingOnTheListsIsThere(String list, String file) throws IOException {
    String text = source(file);
    Set<String> missing = new TreeSet<>();
    for (String line : Files.readAllLines(LISTS.resolve(list + ".args"))) {
      String[] words = line.split(" ");
      boolean there =
          switch (words[0]) {
            case "--include-function" -> text.contains(" " + words[1] + "$descriptor()");
            case "--include-constant" -> text.contains(" int " + words[1] + "()");
            case "--include-struct" -> Files.isRegularFile(FFI.resolve(words[1] + ".java"));
            default -> throw new AssertionError(line);
          };
      if (!there) {
        missing.add(words[1]);
      }
    }
    assertEquals(NOT_GENERATED.getOrDefault(list, Set.of()), missing);
  }

  @Test
  void nothingElseIsInTheFolder() throws IOException {
    Set<String> names = new HashSet<>();
    try (Stream<Path> files = Files.list(FFI)) {
      for (Path file : files.toList()) {
        names.add(file.getFileName().toString().replace(".java", ""));
        assertTrue(Files.readString(file).startsWith("// Generated by jextract"), file.toString());
      }
    }
    names.removeIf(n -> n.endsWith("$shared"));
    assertEquals(Set.of("CudaDriver", "Cublas", "CublasLt", "CUuuid_st"), names);
  }
}
