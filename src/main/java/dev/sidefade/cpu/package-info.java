/**
 * The operations on the CPU. Shapes and liveness are checked at the door of every operation ({@link
 * dev.sidefade.cpu.CpuKernels}); inside, loops work on raw addresses through {@link
 * dev.sidefade.cpu.RawMemory}. Large matrix products are run by ONNX Runtime ({@link
 * dev.sidefade.cpu.OrtGemm}, through its C API where that can be reached), everything else by row
 * primitives ({@link dev.sidefade.cpu.RowMath}) with two providers: the Vector API where its module
 * is readable, plain loops otherwise.
 */
package dev.sidefade.cpu;
