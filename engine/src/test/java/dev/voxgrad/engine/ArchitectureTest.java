package dev.voxgrad.engine;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Dependencies inside the engine point one way. */
class ArchitectureTest {
    private static final String ROOT = "dev.voxgrad.engine";

    /** Each package uses only those to its left; the root package is for all. */
    private static final List<String> ORDER = List.of(
            "tensor",
            "profile",
            "autograd",
            "op",
            "nn",
            "optim",
            "image",
            "plan",
            "augment",
            "infer",
            "metric",
            "train");

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(ROOT);

    @TestFactory
    Stream<DynamicTest> packageUsesOnlyThoseToItsLeft() {
        List<DynamicTest> tests = new ArrayList<>();
        for (int i = 0; i < ORDER.size(); i++) {
            List<String> outside = new ArrayList<>(List.of(
                    "java..", "tools.jackson..", "com.fasterxml.jackson.annotation..", "dev.voxgrad.bindings..", ROOT));
            ORDER.subList(0, i + 1).forEach(p -> outside.add(ROOT + "." + p + ".."));
            String current = ROOT + "." + ORDER.get(i) + "..";
            tests.add(DynamicTest.dynamicTest(
                    ORDER.get(i),
                    () -> classes()
                            .that()
                            .resideInAPackage(current)
                            .should()
                            .onlyDependOnClassesThat()
                            .resideInAnyPackage(outside.toArray(String[]::new))
                            .allowEmptyShould(true)
                            .check(CLASSES)));
        }
        return tests.stream();
    }

    @Test
    void rootPackageUsesNoOther() {
        classes()
                .that()
                .resideInAPackage(ROOT)
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("java..", "tools.jackson..", ROOT)
                .check(CLASSES);
    }

    @Test
    void everyPackageHasItsPlaceInTheOrder() {
        String[] known = Stream.concat(Stream.of(ROOT), ORDER.stream().map(p -> ROOT + "." + p + ".."))
                .toArray(String[]::new);
        classes().should().resideInAnyPackage(known).check(CLASSES);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(CLASSES);
    }
}
