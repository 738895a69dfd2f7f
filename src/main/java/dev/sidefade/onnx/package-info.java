/**
 * A small model of ONNX files of our own: {@link dev.sidefade.onnx.OnnxModel} reads and writes the
 * protobuf format without a protobuf library, {@link dev.sidefade.onnx.OnnxGraph} and its nodes can
 * be edited freely, {@link dev.sidefade.onnx.GraphEdit} holds the surgery and {@link
 * dev.sidefade.onnx.ModelCheck} the structural check.
 *
 * <p>What is not modelled here (documentation strings, functions, training information, fields of a
 * newer ONNX) is kept as bytes and written back at every level. Tensors are immutable and their
 * bytes are shared with the file, which is mapped; so models over 2 GB work, and copies of a model
 * cost next to nothing.
 */
@NullMarked
package dev.sidefade.onnx;

import org.jspecify.annotations.NullMarked;
