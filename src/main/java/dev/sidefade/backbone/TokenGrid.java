package dev.sidefade.backbone;

/**
 * How tokens lie in an image: {@code prefixTokens} tokens of no place (class, distillation,
 * register tokens), then {@code height x width} patches, row by row.
 *
 * @param height rows of patches
 * @param width patches in a row
 * @param prefixTokens tokens before the patches
 */
public record TokenGrid(long height, long width, long prefixTokens) {}
