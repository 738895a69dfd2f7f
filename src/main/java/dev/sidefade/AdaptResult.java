package dev.sidefade;

import dev.sidefade.report.RunReport;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What {@link Sidefade#adapt} made.
 *
 * @param model the faded ONNX model; empty when nothing of the backbone was tuned
 * @param delta only what changed, as safetensors; empty likewise
 * @param kept the model that keeps its side network; empty when there is none
 * @param metrics metrics.json
 * @param html report.html
 * @param report the same figures as a value
 */
public record AdaptResult(
    Optional<Path> model,
    Optional<Path> delta,
    Optional<Path> kept,
    Path metrics,
    Path html,
    RunReport report) {}
