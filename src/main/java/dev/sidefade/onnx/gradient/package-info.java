/**
 * Exact gradients of an ONNX model as ONNX graphs. {@link dev.sidefade.onnx.gradient.GradientGraph}
 * differentiates a graph in reverse mode: it adds nodes of the model's own opset that compute the
 * gradients of some outputs by some inputs, so that whatever runs the model also runs its
 * gradients.
 *
 * <p>Every operator has a rule, a few lines that say how the gradients of a node's outputs become
 * gradients of its inputs. To teach it another operator, write a {@code GradientRule} and add it to
 * the table in {@code GradientRules}.
 */
@NullMarked
package dev.sidefade.onnx.gradient;

import org.jspecify.annotations.NullMarked;
