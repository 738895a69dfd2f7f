package dev.sidefade.fuzz;

import dev.sidefade.backbone.PreprocessingFuzz;
import dev.sidefade.cli.ConfigFuzz;
import dev.sidefade.data.IdxFuzz;
import dev.sidefade.data.ImageFuzz;
import dev.sidefade.data.ListFuzz;
import dev.sidefade.export.SafetensorsFuzz;
import dev.sidefade.onnx.ExternalDataFuzz;
import dev.sidefade.onnx.OnnxFuzz;
import dev.sidefade.text.ConllFuzz;
import dev.sidefade.text.TableFuzz;
import dev.sidefade.text.TokenizerFuzz;
import dev.sidefade.train.CheckpointFuzz;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** All parsers that read what comes from elsewhere. */
public final class FuzzTargets {
  private FuzzTargets() {}

  /** Opens a target. */
  @FunctionalInterface
  public interface Opening {
    FuzzTarget open() throws IOException;
  }

  /** By the name that a target is asked for. */
  public static Map<String, Opening> all() {
    Map<String, Opening> all = new LinkedHashMap<>();
    all.put("onnx", OnnxFuzz::new);
    all.put("onnx-external-data", ExternalDataFuzz::new);
    all.put("safetensors", SafetensorsFuzz::new);
    all.put("checkpoints", CheckpointFuzz::new);
    all.put("idx", IdxFuzz::new);
    all.put("images", ImageFuzz::new);
    all.put("lists", ListFuzz::new);
    all.put("tables", TableFuzz::new);
    all.put("conll", ConllFuzz::new);
    all.put("tokenizer", TokenizerFuzz::new);
    all.put("preprocessing", PreprocessingFuzz::new);
    all.put("settings", ConfigFuzz::new);
    return all;
  }
}
