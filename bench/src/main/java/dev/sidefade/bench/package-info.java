/** JMH benchmarks of Sidefade's operations and of its training step. */
package dev.sidefade.bench;
