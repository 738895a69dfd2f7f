package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathExpressionException;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** What Maven Central asks of a project, and what those who depend on it may rely on. */
class PublishedPomTest {
  private static Document pom;

  @BeforeAll
  static void read() throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
    pom = factory.newDocumentBuilder().parse(Path.of("pom.xml").toFile());
  }

  private static List<String> all(String expression) throws XPathExpressionException {
    XPath path = XPathFactory.newInstance().newXPath();
    NodeList found = (NodeList) path.evaluate(expression, pom, XPathConstants.NODESET);
    return IntStream.range(0, found.getLength())
        .mapToObj(i -> found.item(i).getTextContent().strip())
        .toList();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "groupId",
        "artifactId",
        "version",
        "name",
        "description",
        "url",
        "licenses/license/name",
        "licenses/license/url",
        "developers/developer/name",
        "developers/developer/organization",
        "developers/developer/organizationUrl",
        "scm/connection",
        "scm/developerConnection",
        "scm/url",
        "properties/project.build.outputTimestamp"
      })
  void whatCentralAsksForIsThere(String element) throws XPathExpressionException {
    List<String> values = all("/project/" + element);
    assertFalse(values.isEmpty(), element);
    values.forEach(value -> assertFalse(value.isBlank() || value.contains("TODO"), element));
  }

  @Test
  void addressesAreWhole() throws XPathExpressionException {
    for (String element : List.of("url", "licenses/license/url", "scm/url")) {
      String address = all("/project/" + element).getFirst();
      assertTrue(address.startsWith("https://"), address);
    }
    for (String element : List.of("connection", "developerConnection")) {
      String address = all("/project/scm/" + element).getFirst();
      assertTrue(address.startsWith("scm:git:") && address.endsWith(".git"), address);
    }
  }

  @Test
  void theLicenceIsThatOfTheFile() throws Exception {
    assertEquals(List.of("Apache-2.0"), all("/project/licenses/license/name"));
    String text = Files.readString(Path.of("LICENSE"));
    assertTrue(text.contains("Apache License") && text.contains("Version 2.0"));
  }

  /** Neither other repositories nor libraries that only some machine has. */
  @Test
  void dependenciesAreReleasesThatCentralHas() throws XPathExpressionException {
    assertEquals(List.of(), all("//repositories | //pluginRepositories | //systemPath"));
    List<String> versions =
        all("//properties/*[contains(name(), '.version')] | //dependency/version");
    assertTrue(versions.size() > 10, versions.toString());
    versions.forEach(version -> assertFalse(version.contains("SNAPSHOT"), version));
    // ranges give another build tomorrow
    versions.forEach(version -> assertFalse(version.matches("[\\[(].*|LATEST|RELEASE"), version));
  }

  @Test
  void pluginsHaveTheirVersions() throws XPathExpressionException {
    List<String> named = all("/project/build/plugins/plugin/artifactId");
    assertEquals(named.size(), all("/project/build/plugins/plugin/version").size(), "" + named);
  }

  @Test
  void aReleaseHasSourcesJavadocAndABillOfMaterials() throws XPathExpressionException {
    String release = "/project/profiles/profile[id='release']//";
    assertEquals(List.of("sources", "javadoc"), all(release + "artifact/classifier"));
    assertEquals(List.of("makeBom"), all(release + "plugin[groupId='org.cyclonedx']//goal"));
  }
}
