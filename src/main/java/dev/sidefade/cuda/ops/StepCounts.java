package dev.sidefade.cuda.ops;

import java.util.Map;

/**
 * How the parts of steps were run.
 *
 * @param eager one operation after the other
 * @param recorded likewise, and made into a graph
 * @param replayed as a graph
 * @param mismatched begun as a graph, which did not fit
 * @param hindrances why a part was not recorded or not replayed, and how often
 */
public record StepCounts(
    long eager, long recorded, long replayed, long mismatched, Map<String, Integer> hindrances) {}
