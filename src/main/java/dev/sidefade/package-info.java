/**
 * The short way from a pretrained ONNX model and examples to an adapted one, and what runs it.
 *
 * <ul>
 *   <li>{@link dev.sidefade.Sidefade#adapt} adapts, as {@link dev.sidefade.AdaptConfig} says;
 *   <li>{@link dev.sidefade.Predictor} and {@link dev.sidefade.TextPredictor} run what came out;
 *   <li>{@link dev.sidefade.Comparison} adapts in several ways and with several seeds.
 * </ul>
 *
 * <p>From labelled images to a model:
 *
 * {@snippet file="images/AdaptImages.java" region="adapt"}
 *
 * <p>From labelled texts to a model:
 *
 * {@snippet file="texts/AdaptTexts.java" region="adapt"}
 *
 * <p>The model in a service, shared by its threads:
 *
 * {@snippet file="service/PredictionService.java" region="service"}
 *
 * <p>What is given and cannot be used ends in a {@link dev.sidefade.tensor.BadInputException} of
 * one sentence. Nothing of the package takes or returns null.
 */
@NullMarked
package dev.sidefade;

import org.jspecify.annotations.NullMarked;
