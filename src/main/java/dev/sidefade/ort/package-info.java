/**
 * ONNX Runtime's C API, called through the foreign function interface in the library that its Java
 * API has loaded: what the Java API cannot do, or not without garbage.
 */
package dev.sidefade.ort;
