package dev.sidefade.cuda;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/** All promises of a backend, kept by the compiled kernels on the GPU of this machine. */
@Tag("gpu")
@ExtendWith(RealDriver.class)
class CudaOnGpuTest implements CudaContract {}
