package dev.sidefade.onnx;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One field of a protobuf message (or a run of adjacent fields of one number) exactly as it is
 * encoded, tags included. What the model does not know or does not change is kept this way, so that
 * it is written back as it was.
 */
record RawField(int number, MemorySegment bytes) {

  /** The given fields without those of the given numbers. */
  static List<RawField> without(List<RawField> fields, int... numbers) {
    return fields.stream()
        .filter(field -> {
          for (int number : numbers) {
            if (field.number == number) {
              return false;
            }
          }
          return true;
        })
        .toList();
  }
}
