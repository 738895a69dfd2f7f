package dev.sidefade.cli;

/** Where training runs. */
enum DeviceChoice {
  /** On the processors. */
  CPU,
  /** On an NVIDIA GPU. */
  CUDA,
  /** On the fastest that works here. */
  AUTO
}
