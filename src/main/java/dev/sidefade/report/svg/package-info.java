/** A small writer of plain SVG charts: lines, bars, heat maps. Needs the JDK alone. */
package dev.sidefade.report.svg;
