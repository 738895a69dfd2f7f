/** A small writer of plain SVG charts: lines, bars, heat maps. Needs the JDK alone. */
@NullMarked
package dev.sidefade.report.svg;

import org.jspecify.annotations.NullMarked;
