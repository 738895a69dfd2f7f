package dev.sidefade;

/**
 * One word of a text and its class.
 *
 * @param word as it stands in the text
 * @param tag name of the class
 * @param probability of it, softmax of the logits, in [0, 1]
 */
public record WordTag(String word, String tag, double probability) {}
