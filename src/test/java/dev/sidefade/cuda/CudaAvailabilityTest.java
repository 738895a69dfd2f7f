package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A machine where CUDA does not work, for whatever reason: said in words, and nothing is thrown but
 * a typed exception by who goes on all the same.
 */
class CudaAvailabilityTest {
  @TempDir Path folder;

  private static String run(List<String> flags, Map<String, String> environment)
      throws IOException, InterruptedException {
    ChildJvm.Result result = ChildJvm.run(AvailabilityProgram.class, flags, environment);
    assertEquals(0, result.exit(), result.out());
    assertFalse(result.out().contains("Error:"), result.out());
    return result.out();
  }

  private static String driver(Object file) {
    return "-D" + CudaLibrary.DRIVER_PROPERTY + "=" + file;
  }

  private static void assertContains(String out, String... parts) {
    for (String part : parts) {
      assertTrue(out.contains(part), part + " in: " + out);
    }
  }

  @Test
  void aMissingDriverIsAReason() throws IOException, InterruptedException {
    String out = run(List.of(driver(folder.resolve("libcuda.so.1"))), Map.of());
    assertContains(
        out,
        "cuda: the driver named by dev.sidefade.cuda.driver cannot be loaded",
        "No such file or directory",
        "devices: CUDA cannot be used here: the driver named by",
        "cublas: not looked for",
        "report: ");
  }

  @Test
  void aMachineWithoutAnyDriverHasAReason() throws IOException, InterruptedException {
    String out = run(List.of(), Map.of());
    boolean works = out.contains("cuda: works");
    assertTrue(works || out.contains("devices: CUDA cannot be used here: "), out);
  }

  @Test
  void aFileThatIsNoLibraryIsAReason() throws IOException, InterruptedException {
    Path file = Files.writeString(folder.resolve("text.so"), "text", StandardCharsets.UTF_8);
    assertContains(run(List.of(driver(file)), Map.of()), "cannot be loaded (" + file);
  }

  @Test
  void anotherLibraryIsAReason() throws IOException, InterruptedException {
    Path library = Path.of(System.getProperty("java.home"), "lib", "libzip.so");
    assertContains(
        run(List.of(driver(library)), Map.of()), library + " is no CUDA driver: it lacks cuInit");
  }

  @Test
  void javaWithoutNativeAccessIsAReason() throws IOException, InterruptedException {
    String out = run(List.of("--illegal-native-access=deny", driver("/none")), Map.of());
    assertContains(
        out, "cuda: Java may not call native code: start it with --enable-native-access");
  }

  @Test
  void otherSystemsAreAReason() {
    DriverProbe probe = DriverProbe.run("Windows 11", null);
    assertEquals("CUDA is supported on Linux only, this is Windows 11", probe.unavailable().get());
    assertEquals(1, probe.lines().size());
    assertEquals(0, probe.driverVersion());
  }

  @Test
  void anOldDriverIsSaidWithBothVersions() throws IOException, InterruptedException {
    EmulatedDriver.assumeThere();
    String out = run(ChildJvm.emulated(), Map.of("SIDEFADE_EMULATION_DRIVER_VERSION", "12040"));
    assertContains(
        out,
        "the installed driver is for CUDA 12.4, the kernels need one for CUDA 13.0 or newer",
        "release 580",
        "devices: CUDA cannot be used here");
  }

  @Test
  void anOldGpuIsAReason() throws IOException, InterruptedException {
    EmulatedDriver.assumeThere();
    String name = "SIDEFADE_EMULATION_COMPUTE_CAPABILITY";
    assertContains(
        run(ChildJvm.emulated(), Map.of(name, "70")),
        "device: ",
        "compute capability 7.0",
        ": the kernels need compute capability 7.5 (Turing) or newer");
    assertContains(run(ChildJvm.emulated(), Map.of(name, "75")), "device: works");
  }

  @Test
  void noDeviceIsAReason() throws IOException, InterruptedException {
    EmulatedDriver.assumeThere();
    String out = run(ChildJvm.emulated(), Map.of("SIDEFADE_EMULATION_DEVICES", "0"));
    assertContains(out, "CUDA_ERROR_NO_DEVICE (100), no CUDA-capable device is detected");
  }

  @Test
  void theEmulatedDriverWorksInAProcessOfItsOwn() throws IOException, InterruptedException {
    EmulatedDriver.assumeThere();
    assertContains(
        run(ChildJvm.emulated(), Map.of()), "cuda: works", "cublas: works", "devices: 1");
  }

  @Test
  void cublasIsFoundBesideTheDriverAndInANamedFolder() throws IOException, InterruptedException {
    EmulatedDriver.assumeThere();
    List<String> flags = new ArrayList<>(ChildJvm.emulated());
    flags.removeIf(flag -> flag.startsWith("-D" + CublasLibrary.PATH_PROPERTY));
    assertContains(run(flags, Map.of()), "cublas: works");
    Path library = Path.of(System.getProperty(CublasLibrary.PATH_PROPERTY)).toAbsolutePath();
    flags.add("-D" + CublasLibrary.PATH_PROPERTY + "=" + library.getParent());
    assertContains(run(flags, Map.of()), "cublas: works", "report: cuBLAS " + library.getParent());
  }

  @Test
  void aMissingCublasNamesEveryPlace() throws IOException, InterruptedException {
    EmulatedDriver.assumeThere();
    List<String> flags = new ArrayList<>(ChildJvm.emulated());
    flags.removeIf(flag -> flag.startsWith("-D" + CublasLibrary.PATH_PROPERTY));
    flags.add("-D" + CublasLibrary.PATH_PROPERTY + "=" + folder);
    assertContains(
        run(flags, Map.of()),
        "cuda: works",
        "cublas: cuBLAS 13 or 12 was not found",
        folder.resolve("libcublas.so.13") + "",
        folder.resolve("libcublas.so.12") + "",
        "name its file or folder by -Ddev.sidefade.cublas.path");
    flags.removeLast();
    Path other = Path.of(System.getProperty("java.home"), "lib", "libzip.so");
    flags.add("-D" + CublasLibrary.PATH_PROPERTY + "=" + other);
    assertContains(run(flags, Map.of()), other + " is not cuBLAS: it lacks cublasSgemm_v2");
  }
}
