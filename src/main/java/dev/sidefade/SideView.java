package dev.sidefade;

/** What the side network reads where constants inside the backbone are tuned. */
public enum SideView {
  /** The taps of the pretrained backbone: they are computed once, and stay as they are. */
  FROZEN,
  /** The taps of the backbone as it is tuned. */
  TUNED
}
