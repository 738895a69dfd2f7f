/**
 * A frozen backbone: what its graph is made of (found from structure, not from names), how images
 * must be prepared for it, and ONNX Runtime sessions that return its residual stream. Knows nothing
 * of the side network.
 */
@NullMarked
package dev.sidefade.backbone;

import org.jspecify.annotations.NullMarked;
