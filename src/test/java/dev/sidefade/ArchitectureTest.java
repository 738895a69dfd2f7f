package dev.sidefade;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnxruntime.OrtEnvironment;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The rooms of the house and the arrows between them: who may know whom, and who may do dangerous
 * things.
 */
class ArchitectureTest {
  private static final String ROOT = "dev.sidefade";

  /**
   * Every package under the root, and those that it may name. The root itself and cli come last and
   * see what is below.
   */
  private static final Map<String, Set<String>> ARROWS = new TreeMap<>();

  static {
    ARROWS.put("tensor", Set.of());
    ARROWS.put("onnx", Set.of("tensor"));
    ARROWS.put("kernels", Set.of("tensor"));
    ARROWS.put("ort", Set.of());
    ARROWS.put("cpu", Set.of("ort", "kernels", "tensor", "onnx"));
    ARROWS.put("cuda", Set.of("kernels", "tensor"));
    ARROWS.put("layers", Set.of("kernels", "tensor"));
    ARROWS.put("side", Set.of("layers", "kernels", "tensor"));
    ARROWS.put("distill", Set.of("side", "layers", "kernels", "tensor"));
    ARROWS.put("data", Set.of("tensor"));
    ARROWS.put("text", Set.of("data", "tensor"));
    ARROWS.put("backbone", Set.of("ort", "onnx", "kernels", "tensor"));
    ARROWS.put("export", Set.of("ort", "onnx", "backbone", "side", "layers", "kernels", "tensor"));
    ARROWS.put(
        "train",
        Set.of(
            "export",
            "backbone",
            "data",
            "text",
            "distill",
            "side",
            "layers",
            "kernels",
            "onnx",
            "tensor"));
    ARROWS.put("report", Set.of("tensor"));
  }

  private static final JavaClasses MAIN =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(ROOT);

  @TestFactory
  List<DynamicTest> arrowsOnlyPointDown() {
    return ARROWS.keySet().stream()
        .map(room -> DynamicTest.dynamicTest(room, () -> onlyKnowsWhatItMay(room).check(MAIN)))
        .toList();
  }

  private static ArchRule onlyKnowsWhatItMay(String room) {
    Set<String> known = new TreeSet<>(ARROWS.get(room));
    known.add(room);
    DescribedPredicate<JavaClass> stranger =
        DescribedPredicate.describe(
            "are in a room other than " + known,
            c -> c.getPackageName().startsWith(ROOT) && !known.contains(roomOf(c)));
    return noClasses()
        .that(DescribedPredicate.describe("are in " + room, c -> roomOf(c).equals(room)))
        .should()
        .dependOnClassesThat(stranger);
  }

  /** "" for the root package. */
  private static String roomOf(JavaClass type) {
    String name = type.getPackageName();
    if (!name.startsWith(ROOT + ".")) {
      return name.equals(ROOT) ? "" : name;
    }
    String below = name.substring(ROOT.length() + 1);
    int dot = below.indexOf('.');
    return dot < 0 ? below : below.substring(0, dot);
  }

  @Test
  void everyRoomIsListed() {
    Set<String> rooms = new TreeSet<>();
    MAIN.forEach(c -> rooms.add(roomOf(c)));
    Set<String> listed = new TreeSet<>(ARROWS.keySet());
    listed.addAll(List.of("", "cli"));
    assertEquals(listed, rooms);
  }

  @Test
  void thereAreNoCircles() {
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(MAIN);
  }

  @Test
  void nobodyKnowsTheCommandLine() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".cli..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(ROOT + ".cli..", "picocli..", "me.tongfei..")
        .check(MAIN);
  }

  /** Where its telemetry is turned off; the command line sets its log's level before. */
  @Test
  void onnxRuntimesEnvironmentIsMadeInOnePlace() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(ROOT + ".ort.OneEnvironment")
        .and()
        .doNotHaveFullyQualifiedName(ROOT + ".cli.OnnxRuntimeLog")
        .should()
        .callMethodWhere(
            DescribedPredicate.describe(
                "makes ONNX Runtime's environment",
                call ->
                    call.getTargetOwner().isEquivalentTo(OrtEnvironment.class)
                        && call.getName().equals("getEnvironment")))
        .check(MAIN);
  }

  @Test
  void backendsAreChosenThroughDeviceAlone() {
    for (String backend : List.of(".cpu..", ".cuda..")) {
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + backend)
          .should()
          .dependOnClassesThat()
          .resideInAPackage(ROOT + backend)
          .check(MAIN);
    }
  }

  @Test
  void bindingsAreCalledByTheDriverLayerAlone() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + ".cuda", ROOT + ".cuda.ffi")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT + ".cuda.ffi")
        .check(MAIN);
  }

  @Test
  void nativeCodeAndRawAddressesBelongToTheBackends() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + ".cpu..", ROOT + ".ort", ROOT + ".cuda", ROOT + ".cuda.ffi")
        .should()
        .dependOnClassesThat()
        .areAssignableTo(Linker.class)
        .orShould()
        .dependOnClassesThat()
        .areAssignableTo(SymbolLookup.class)
        .orShould()
        .accessTargetWhere(calls(MemorySegment.class, "reinterpret"))
        .orShould()
        .accessTargetWhere(calls(AddressLayout.class, "withTargetLayout"))
        .orShould()
        .dependOnClassesThat()
        .haveFullyQualifiedName("sun.misc.Unsafe")
        .check(MAIN);
  }

  @Test
  void theCApiOfOnnxRuntimeIsForThoseWhoComputeWithIt() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + ".ort", ROOT + ".cpu..", ROOT + ".backbone..")
        .should()
        .dependOnClassesThat(
            DescribedPredicate.describe(
                "are of the C API",
                c ->
                    c.getPackageName().equals(ROOT + ".ort")
                        && !c.getSimpleName().equals("OneEnvironment")))
        .check(MAIN);
  }

  @Test
  void theVectorApiIsNamedInTheCpuBackendAlone() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".cpu..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("jdk.incubator..")
        .check(MAIN);
  }

  @Test
  void onlyTheCommandLineEndsTheVirtualMachine() {
    noClasses()
        .that(not("dev.sidefade.cli.Main"))
        .should()
        .accessTargetWhere(calls(System.class, "exit"))
        .orShould()
        .accessTargetWhere(calls(Runtime.class, "exit", "halt"))
        .check(MAIN);
  }

  @Test
  void randomNumbersAreCounted() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .areAssignableTo(Random.class)
        .orShould()
        .dependOnClassesThat()
        .resideInAPackage("java.util.random..")
        .orShould()
        .accessTargetWhere(calls(Math.class, "random"))
        .orShould()
        .accessTargetWhere(calls(java.util.Collections.class, "shuffle"))
        .because("all draws come from CounterRandom, so that a seed gives the same bytes")
        .check(MAIN);
  }

  @Test
  void theRulesBite() {
    assertFalse(MAIN.isEmpty());
    JavaClasses here = new ClassFileImporter().importClasses(ArchitectureTest.class, Bad.class);
    assertThrows(
        AssertionError.class,
        () ->
            noClasses()
                .should()
                .accessTargetWhere(calls(MemorySegment.class, "reinterpret"))
                .check(here));
  }

  /** Does what is forbidden. */
  static final class Bad {
    private Bad() {}

    static MemorySegment all() {
      return MemorySegment.NULL.reinterpret(1);
    }
  }

  private static DescribedPredicate<JavaClass> not(String name) {
    return DescribedPredicate.describe("are not " + name, c -> !c.getName().equals(name));
  }

  private static DescribedPredicate<JavaAccess<?>> calls(Class<?> owner, String... names) {
    return DescribedPredicate.describe(
        "call " + owner.getSimpleName() + "." + String.join("/", names),
        access ->
            access.getTargetOwner().isAssignableTo(owner)
                && Arrays.asList(names).contains(access.getName()));
  }
}
