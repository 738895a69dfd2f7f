/**
 * Benchmarks of Sidefade's operations and of its training step (JMH), and of gradients inside a
 * backbone.
 */
package dev.sidefade.bench;
