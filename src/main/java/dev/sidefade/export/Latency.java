package dev.sidefade.export;

/**
 * Time of one run in milliseconds.
 *
 * @param median of all rounds
 * @param low which a tenth of the rounds was faster than
 * @param high which a tenth of the rounds was slower than
 */
public record Latency(double median, double low, double high) {}
