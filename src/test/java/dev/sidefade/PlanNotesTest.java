package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.distill.Direction;
import dev.sidefade.kernels.Device;
import dev.sidefade.train.KlRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said before a training of settings that do not do what they may be taken for. */
class PlanNotesTest {
  @TempDir static Path folder;
  private static TextFiles files;
  private static TextFiles.Sets sentiments;
  private static String unlabelled;

  @BeforeAll
  static void write() throws IOException {
    files = new TextFiles(Files.createDirectory(folder.resolve("data")));
    sentiments = files.sentiments(60, 30);
    unlabelled = files.unlabelled(40).toString();
  }

  /** Norms of the backbone and a side network that teaches them. */
  private static AdaptConfig.Builder config() throws IOException {
    return files
        .config(TaskKind.TEXT, "minilm_legacy11", sentiments, folder.resolve("out"))
        .sideWidth(8)
        .tune(Tune.NORMS)
        .epochs(2);
  }

  private static List<String> notes(AdaptConfig.Builder config) throws IOException {
    Notes notes = new Notes();
    new Adaptation(config.build(), notes, () -> Device.cpu(1)).close();
    return notes.all();
  }

  private static void assertSaid(String part, AdaptConfig.Builder config) throws IOException {
    List<String> notes = notes(config);
    assertEquals(1, notes.size(), notes.toString());
    assertTrue(notes.getFirst().contains(part), notes.getFirst());
  }

  private static void assertSilent(AdaptConfig.Builder config) throws IOException {
    assertEquals(List.of(), notes(config));
  }

  @Test
  void whatDoesItsWorkIsNotNamed() throws IOException {
    assertSilent(config());
    assertSilent(config().unlabelled(unlabelled).klRows(KlRows.UNLABELLED));
    assertSilent(config().teacherAverage(0.9).sideAhead(1).microBatch(8).tokenDropout(0.1));
    AdaptConfig.Builder self = config().teacher(TeacherKind.SELF).teacherAverage(0.9);
    assertSilent(self.side(SideKind.NONE).unlabelled(unlabelled).epochs(1));
  }

  @Test
  void rowsThatNobodyTeachesOn() throws IOException {
    assertSaid(
        "Nothing teaches on the 40 rows without a label",
        config().side(SideKind.NONE).unlabelled(unlabelled));
  }

  @Test
  void dropoutAndGradientsWhereNothingInsideLearns() throws IOException {
    assertSaid("--token-dropout changes nothing", config().tune(Tune.HEAD).tokenDropout(0.2));
    assertSaid("--micro-batch changes nothing", config().tune(Tune.HEAD).microBatch(8));
    assertSaid(
        "--gradient-memory changes nothing",
        config().tune(Tune.HEAD).gradientMode(GradientMode.TAPS));
  }

  @Test
  void aHeadStartOfOneNetworkAlone() throws IOException {
    String note = "--side-ahead changes nothing: with --side %s and --tune %s one network";
    assertSaid(note.formatted("none", "norms"), config().side(SideKind.NONE).sideAhead(1));
    assertSaid(note.formatted("transformer", "none"), config().tune(Tune.NONE).sideAhead(1));
  }

  @Test
  void aMeanThatTeachesNobody() throws IOException {
    String note = "--teacher-average changes nothing";
    assertSaid(note, config().logits(Direction.OFF).teacherAverage(0.9));
    assertSaid(note, config().side(SideKind.NONE).teacherAverage(0.9));
  }

  @Test
  void aSideNetworkBesideABackboneThatTeachesItself() throws IOException {
    AdaptConfig.Builder self = config().teacher(TeacherKind.SELF);
    assertSaid("the side network teaches nothing", self);
    assertSilent(self.features(Direction.SIDE_TO_BACKBONE));
  }

  @Test
  void aTeacherThatHasNoRows() throws IOException {
    assertSaid("and there are none", config().klRows(KlRows.UNLABELLED));
  }

  @Test
  void aRuleThatNeedsASecondEpoch() throws IOException {
    assertSaid("neither teaches", config().epochs(1).klAuto(true));
    assertSilent(config().epochs(1));
  }
}
