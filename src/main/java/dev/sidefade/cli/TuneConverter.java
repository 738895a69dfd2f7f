package dev.sidefade.cli;

import dev.sidefade.Tune;
import dev.sidefade.tensor.BadInputException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads what to tune; the library's sentence is kept where it cannot be read. */
final class TuneConverter implements ITypeConverter<Tune> {
  @Override
  public Tune convert(String text) {
    try {
      return Tune.parse(text);
    } catch (BadInputException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
