/**
 * Results under {@code bench/results} as Markdown tables and SVG plots, and compared with each
 * other. Knows Gson and nothing of Sidefade, so that a Java without a build can run it from source.
 */
package dev.sidefade.bench.tables;
