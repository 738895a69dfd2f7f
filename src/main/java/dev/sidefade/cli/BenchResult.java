package dev.sidefade.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Locale;

/**
 * What was measured of an operation.
 *
 * @param operation what ran
 * @param micros of one call, sorted
 * @param copyRate bytes per microsecond that the device copies, read and written
 */
record BenchResult(BenchOperation operation, double[] micros, double copyRate) {
  static String header() {
    return String.format(
        Locale.ROOT,
        "%-22s %-10s %10s  %-21s %8s %8s %8s",
        "operation",
        "shape",
        "median us",
        "quartiles",
        "GFLOP/s",
        "GB/s",
        "of copy");
  }

  String line() {
    return String.format(
            Locale.ROOT,
            "%-22s %-10s %10.1f  %-21s %8s %8s %8s",
            operation.name(),
            operation.shape(),
            median(),
            String.format(Locale.ROOT, "%.1f to %.1f", quantile(0.25), quantile(0.75)),
            rate(operation.flops()),
            rate(operation.bytes()),
            operation.bytes() == 0 ? "" : String.format(Locale.ROOT, "%.0f %%", 100 * ofCopyRate()))
        .stripTrailing();
  }

  private double median() {
    return quantile(0.5);
  }

  private double quantile(double share) {
    return BenchTimer.quantile(micros, share);
  }

  private double ofCopyRate() {
    return operation.bytes() / median() / copyRate;
  }

  private String rate(double work) {
    return work == 0 ? "" : String.format(Locale.ROOT, "%.1f", work / median() / 1e3);
  }

  JsonObject toJson() {
    JsonObject json = new JsonObject();
    json.addProperty("operation", operation.name());
    json.addProperty("shape", operation.shape());
    json.addProperty("median_us", median());
    json.addProperty("quartile_1_us", quantile(0.25));
    json.addProperty("quartile_3_us", quantile(0.75));
    json.addProperty("gflop_per_s", number(operation.flops() / median() / 1e3));
    json.addProperty("gb_per_s", number(operation.bytes() / median() / 1e3));
    json.addProperty("of_copy_rate", number(ofCopyRate()));
    JsonArray samples = new JsonArray();
    for (double sample : micros) {
      samples.add(sample);
    }
    json.add("samples_us", samples);
    return json;
  }

  /** Null where the operation is not bound by it. */
  private static Double number(double rate) {
    return rate == 0 ? null : rate;
  }
}
