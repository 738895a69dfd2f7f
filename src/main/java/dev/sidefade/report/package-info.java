/**
 * What a finished run tells: {@link dev.sidefade.report.RunReport} as data, {@code metrics.json}
 * for programs, {@code report.html} for people. Knows nothing of how training works.
 */
@NullMarked
package dev.sidefade.report;

import org.jspecify.annotations.NullMarked;
