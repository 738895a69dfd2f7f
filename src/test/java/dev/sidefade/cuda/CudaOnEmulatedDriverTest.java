package dev.sidefade.cuda;

import org.junit.jupiter.api.extension.ExtendWith;

/** All promises of a backend, kept by the CUDA sources on the emulated driver. */
@ExtendWith(Emulation.class)
class CudaOnEmulatedDriverTest implements CudaContract {}
