package dev.sidefade;

import dev.sidefade.report.CompareReport;
import java.nio.file.Path;

/**
 * What {@link Comparison#run} made.
 *
 * @param report the figures
 * @param json compare.json
 * @param markdown compare.md
 * @param html compare.html
 */
public record CompareResult(CompareReport report, Path json, Path markdown, Path html) {}
