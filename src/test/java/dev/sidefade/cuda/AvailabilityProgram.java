package dev.sidefade.cuda;

import dev.sidefade.cuda.ops.CudaDeviceProvider;

/** Prints what was found of CUDA and cuBLAS, and what a first call then says. */
final class AvailabilityProgram {
  private AvailabilityProgram() {}

  /** No arguments. */
  public static void main(String[] args) {
    System.out.println("cuda: " + CudaLibrary.unavailable().orElse("works"));
    System.out.println("cublas: " + CublasLibrary.unavailable().orElse("works"));
    System.out.println("device: " + new CudaDeviceProvider().unavailable().orElse("works"));
    CudaLibrary.report().forEach(line -> System.out.println("report: " + line));
    CublasLibrary.report().forEach(line -> System.out.println("report: " + line));
    try {
      System.out.println("devices: " + CudaDevice.all().size());
    } catch (CudaUnavailableException e) {
      System.out.println("devices: " + e.getMessage());
    }
  }
}
