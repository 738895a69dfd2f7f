package dev.sidefade.cli;

import java.util.Optional;

/**
 * One thing that {@code doctor} looked at.
 *
 * @param topic what was looked at, in kebab-case
 * @param ok whether it is there and works
 * @param detail what was found, or why it was not
 * @param advice what to do about it
 */
record Finding(String topic, boolean ok, String detail, Optional<String> advice) {
  static Finding found(String topic, String detail) {
    return new Finding(topic, true, detail, Optional.empty());
  }

  static Finding missing(String topic, String why, String advice) {
    return new Finding(topic, false, why, Optional.of(advice));
  }
}
