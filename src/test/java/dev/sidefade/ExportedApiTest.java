package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What an application on the module path can name must be within its reach: types of exported
 * packages or of Java itself. javac's "exports" would say the same, and also complain of
 * annotations that applications need not have.
 */
class ExportedApiTest {
  private static final JavaClasses MAIN =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.sidefade");

  /** Of this module, not of one of the libraries beside it. */
  private static ModuleDescriptor module() throws URISyntaxException {
    Path classes =
        Path.of(Sidefade.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    return ModuleFinder.of(classes).find("dev.sidefade").orElseThrow().descriptor();
  }

  @Test
  void exportedTypesNameNothingThatIsNot() throws URISyntaxException {
    Set<String> exported =
        module().exports().stream()
            .filter(export -> !export.isQualified())
            .map(ModuleDescriptor.Exports::source)
            .collect(Collectors.toSet());
    Set<String> hidden = new TreeSet<>();
    int members = 0;
    for (JavaClass type : MAIN) {
      if (exported.contains(type.getPackageName()) && visible(type)) {
        List<JavaMember> seen = type.getMembers().stream().filter(m -> visible(m)).toList();
        members += seen.size();
        for (JavaMember member : seen) {
          types(member)
              .filter(named -> !reachable(named, exported))
              .forEach(named -> hidden.add(member.getFullName() + " names " + named.getName()));
        }
      }
    }
    assertEquals(Set.of(), hidden);
    assertTrue(members > 500, members + " members were seen");
  }

  @Test
  void applicationsNeedNoAnnotations() throws URISyntaxException {
    ModuleDescriptor.Requires annotations =
        module().requires().stream()
            .filter(requires -> requires.name().equals("org.jspecify"))
            .findFirst()
            .orElseThrow();
    assertEquals(Set.of(ModuleDescriptor.Requires.Modifier.STATIC), annotations.modifiers());
  }

  private static boolean visible(JavaClass type) {
    return visible(type.getModifiers())
        && type.getEnclosingClass().map(ExportedApiTest::visible).orElse(true);
  }

  private static boolean visible(JavaMember member) {
    return visible(member.getModifiers())
        && !member.getModifiers().contains(JavaModifier.SYNTHETIC);
  }

  private static boolean visible(Set<JavaModifier> modifiers) {
    return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
  }

  private static boolean reachable(JavaClass named, Set<String> exported) {
    JavaClass type = named.getBaseComponentType();
    return type.isPrimitive()
        || type.getPackageName().startsWith("java.")
        || exported.contains(type.getPackageName()) && visible(type);
  }

  private static Stream<JavaClass> types(JavaMember member) {
    List<JavaType> types = new ArrayList<>();
    if (member instanceof JavaField field) {
      types.add(field.getType());
    } else if (member instanceof JavaCodeUnit code) {
      types.add(code.getReturnType());
      types.addAll(code.getParameterTypes());
      types.addAll(code.getExceptionTypes());
    }
    return types.stream().flatMap(type -> type.getAllInvolvedRawTypes().stream());
  }
}
