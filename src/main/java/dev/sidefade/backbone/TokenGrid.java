package dev.sidefade.backbone;

/**
 * How tokens lie in an image: {@code prefixTokens} tokens of no place (class, distillation,
 * register tokens), then {@code height x width} patches, row by row.
 */
public record TokenGrid(long height, long width, long prefixTokens) {}
