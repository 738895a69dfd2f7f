package dev.sidefade.onnx;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The version of one domain's operators that a model uses, with the fields it had in the file. */
record OpsetImport(String domain, long version, List<RawField> fields) {

  static OpsetImport of(String domain, long version) {
    ProtoWriter message = new ProtoWriter();
    message.string(1, domain);
    message.varint(2, version);
    return new OpsetImport(domain, version, message.toFields());
  }

  /**
   * ONNX's own domain is spelled in three ways: absent, empty and {@code ai.onnx}; here it is
   * empty.
   */
  static String plain(@Nullable String domain) {
    return domain == null || domain.equals("ai.onnx") ? "" : domain;
  }
}
