package dev.sidefade.backbone;

import dev.sidefade.onnx.ElementType;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import java.util.List;

/**
 * One input of a backbone.
 *
 * @param name name of the input
 * @param type element type
 * @param dims dimensions, outermost (the batch) first; -1 where the model leaves it open
 */
public record InputSpec(String name, ElementType type, List<Long> dims) {
  /** Copies the list. */
  public InputSpec {
    dims = List.copyOf(dims);
  }

  /**
   * {@return type of the tensors that it is fed}
   *
   * @throws BadInputException if no tensor has this type
   */
  public DType dtype() {
    return switch (type) {
      case FLOAT -> DType.F32;
      case INT64 -> DType.I64;
      case INT32 -> DType.I32;
      default ->
          throw new BadInputException(
              "input "
                  + name
                  + " of the backbone is of type "
                  + type
                  + ", but FLOAT, INT64 or INT32 was expected; export the model in float32");
    };
  }

  /** {@return whether these are numbers of tokens or the like} */
  public boolean isInteger() {
    return type == ElementType.INT64 || type == ElementType.INT32;
  }

  /** {@return whether this looks like images: floats of batch x channels x height x width} */
  public boolean isImage() {
    return type == ElementType.FLOAT && dims.size() == 4;
  }
}
