/** The command line: {@code sidefade adapt}, {@code evaluate}, {@code predict} and the rest. */
package dev.sidefade.cli;
