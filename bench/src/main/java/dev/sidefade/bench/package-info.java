/**
 * Benchmarks of Sidefade's operations and of its training step (JMH), of gradients inside a
 * backbone, and of launches on a GPU's driver.
 */
package dev.sidefade.bench;
