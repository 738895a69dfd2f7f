package dev.sidefade;

import dev.sidefade.export.ModelCard;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Closer;
import dev.sidefade.train.ExampleSet;
import dev.sidefade.train.Task;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * The examples of an adaptation, opened and checked.
 *
 * @param task what is learned
 * @param train labelled rows, then unlabelled ones
 * @param labelled number of the former
 * @param validation given, or split off the training rows
 * @param test if given
 * @param classNames by label; empty for a regression
 * @param textInput what texts become; empty for images
 * @param notes what the user should know
 * @param gallery shows examples of the validation or test set
 * @param opened everything to close
 */
record AdaptationData(
    Task task,
    ExampleSet train,
    int labelled,
    ExampleSet validation,
    Optional<ExampleSet> test,
    List<String> classNames,
    Optional<ModelCard.TextInput> textInput,
    List<String> notes,
    Gallery gallery,
    Closer opened)
    implements AutoCloseable {
  /** Share of the training rows that is split off when no validation set is given. */
  static final double HELD_OUT = 0.2;

  /** Shows examples to people. */
  @FunctionalInterface
  interface Gallery {
    /** An example of the test set, or else of the validation set, with what a model says of it. */
    RunReport.PredictionSample sample(
        boolean ofTest, int example, String truth, String predicted, double probability)
        throws IOException;
  }

  /** Number of logits of an example or token. */
  int classes() {
    return task == Task.REGRESSION ? 1 : classNames.size();
  }

  /** The examples on which what ships is shown and verified. */
  ExampleSet shown() {
    return test.orElse(validation);
  }

  static void requireClasses(List<String> classes, String source) {
    if (classes.size() < 2) {
      throw new BadInputException(
          "the training source "
              + source
              + " has only one class, "
              + classes
              + ": at least two are needed");
    }
  }

  static String heldOutNote(int heldOut, int all) {
    return "No validation set was given: "
        + heldOut
        + " of "
        + all
        + " training examples were held out for it.";
  }

  static String unlabelledNote(int unlabelled) {
    return unlabelled + " training examples have no label and join the unlabelled ones.";
  }

  @Override
  public void close() {
    opened.close();
  }
}
