package dev.sidefade;

/**
 * One class that a model finds in an input.
 *
 * @param index of the class
 * @param label its name, or the index as text when the model names no classes
 * @param probability softmax of the logits, in [0, 1]
 */
public record Prediction(int index, String label, double probability) {}
