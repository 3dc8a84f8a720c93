package dev.voxgrad.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.voxgrad.bindings.ffi.VoxgradH;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Proves without jextract that the committed bindings describe the header and the library. */
class AbiAgreementTest {
    private static final Path ROOT = Path.of(System.getProperty("voxgrad.root", ".."));
    private static final String PACKAGE = "dev.voxgrad.bindings.ffi.";
    private static SymbolLookup probe;
    private static List<String[]> description;

    @BeforeAll
    static void loadProbe() throws Throwable {
        Path file = Path.of(System.getProperty("voxgrad.native.build", "")).resolve("libvoxgrad_abi_probe.so");
        assumeTrue(Files.isRegularFile(file), "skipped: " + file + " was not built (prebuilt native library)");
        NativeLibrary.load();
        probe = SymbolLookup.libraryLookup(file, Arena.global());
        MethodHandle describe = Linker.nativeLinker()
                .downcallHandle(probe.find("probe_describe").orElseThrow(), FunctionDescriptor.of(VoxgradH.C_POINTER));
        description = ((MemorySegment) describe.invoke())
                .getString(0)
                .lines()
                .map(l -> l.split(" "))
                .toList();
    }

    private static List<String[]> lines(String kind) {
        return description.stream().filter(l -> l[0].equals(kind)).toList();
    }

    @Test
    void headerIsTheOneTheBindingsWereMadeFrom() throws Exception {
        byte[] header = Files.readAllBytes(ROOT.resolve("native/include/voxgrad.h"));
        String hash =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(header));
        assertThat(Files.readString(ROOT.resolve("bindings/src/jextract/voxgrad.h.sha256"))
                        .strip())
                .as("voxgrad.h changed after the bindings were generated; run bindings/generate.sh")
                .isEqualTo(hash);
    }

    @Test
    void functionsHaveTheSameSignatures() throws Exception {
        Map<String, String> header = new TreeMap<>();
        for (String[] line : lines("function")) {
            header.put(line[1], String.join(" ", Arrays.copyOfRange(line, 2, line.length)));
        }
        Map<String, String> java = new TreeMap<>();
        for (Method m : VoxgradH.class.getDeclaredMethods()) {
            if (m.getName().endsWith("$descriptor") && Modifier.isPublic(m.getModifiers())) {
                FunctionDescriptor d = (FunctionDescriptor) m.invoke(null);
                List<MemoryLayout> types = new ArrayList<>(d.argumentLayouts());
                types.addFirst(d.returnLayout().orElseThrow());
                java.put(
                        m.getName().replace("$descriptor", ""),
                        types.stream().map(AbiAgreementTest::code).collect(Collectors.joining(" ")));
            }
        }
        assertThat(java).isEqualTo(header);
    }

    @Test
    void libraryExportsExactlyTheFunctionsOfTheHeader() throws Exception {
        Set<String> exported = new TreeSet<>();
        Process nm = new ProcessBuilder(
                        "nm", "-D", "--defined-only", NativeLibrary.load().toString())
                .start();
        try (InputStream out = nm.getInputStream()) {
            new String(out.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(l -> l.split(" "))
                    .filter(l -> l.length == 3 && !l[2].startsWith("_init") && !l[2].startsWith("_fini"))
                    .forEach(l -> exported.add(l[2]));
        } catch (IOException e) {
            assumeTrue(false, "skipped: nm (binutils) is not installed");
        }
        assertThat(exported)
                .isEqualTo(lines("function").stream().map(l -> l[1]).collect(Collectors.toCollection(TreeSet::new)));
    }

    @Test
    void constantsHaveTheSameValues() throws Exception {
        assertThat(lines("constant")).isNotEmpty();
        for (String[] line : lines("constant")) {
            assertThat(VoxgradH.class.getMethod(line[1]).invoke(null))
                    .as(line[1])
                    .isEqualTo(Integer.parseInt(line[2]));
        }
    }

    @Test
    void structsHaveTheSameLayout() throws Exception {
        Map<String, Set<String>> fields = new TreeMap<>();
        for (String[] line : lines("struct")) {
            Class<?> type = Class.forName(PACKAGE + line[1]);
            GroupLayout layout = (GroupLayout) type.getMethod("layout").invoke(null);
            assertThat(layout.byteSize()).as(line[1]).isEqualTo(Long.parseLong(line[2]));
            assertThat(layout.byteAlignment()).as(line[1]).isEqualTo(Long.parseLong(line[3]));
            fields.put(line[1], new TreeSet<>());
        }
        for (String[] line : lines("field")) {
            Class<?> type = Class.forName(PACKAGE + line[1]);
            String name = line[1] + "." + line[2];
            assertThat(type.getMethod(line[2] + "$offset").invoke(null))
                    .as(name)
                    .isEqualTo(Long.parseLong(line[3]));
            assertThat(code((MemoryLayout) type.getMethod(line[2] + "$layout").invoke(null)))
                    .as(name)
                    .isEqualTo(line[4]);
            fields.get(line[1]).add(line[2]);
        }
        for (Map.Entry<String, Set<String>> struct : fields.entrySet()) {
            Set<String> generated = Arrays.stream(
                            Class.forName(PACKAGE + struct.getKey()).getMethods())
                    .map(Method::getName)
                    .filter(n -> n.endsWith("$offset"))
                    .map(n -> n.replace("$offset", ""))
                    .collect(Collectors.toCollection(TreeSet::new));
            assertThat(generated).as(struct.getKey()).isEqualTo(struct.getValue());
        }
    }

    @Test
    void everyFieldSetInJavaIsReadInC() throws Throwable {
        for (String[] struct : lines("struct")) {
            Class<?> type = Class.forName(PACKAGE + struct[1]);
            MethodHandle sum = Linker.nativeLinker()
                    .downcallHandle(
                            probe.find("probe_sum_" + struct[1]).orElseThrow(),
                            FunctionDescriptor.of(ValueLayout.JAVA_DOUBLE, ValueLayout.ADDRESS));
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment memory = arena.allocate(Long.parseLong(struct[2]), 8);
                double expected = 0;
                int next = 3;
                for (String[] field : lines("field")) {
                    if (field[1].equals(struct[1])) {
                        set(type, field[2], field[4], memory, next);
                        expected += next;
                        next = next * 2 + 1;
                    }
                }
                assertThat((double) sum.invoke(memory)).as(struct[1]).isCloseTo(expected, within(0.0));
            }
        }
    }

    private static void set(Class<?> type, String field, String code, MemorySegment memory, int value)
            throws Exception {
        Object argument = switch (code) {
            case "P" -> MemorySegment.ofAddress(value);
            case "F" -> (float) value;
            case "D" -> (double) value;
            case "I4" -> value;
            case "I8" -> (long) value;
            default -> throw new IllegalStateException(code);
        };
        Arrays.stream(type.getMethods())
                .filter(m -> m.getName().equals(field) && m.getParameterCount() == 2)
                .findFirst()
                .orElseThrow()
                .invoke(null, memory, argument);
    }

    private static String code(MemoryLayout layout) {
        return switch (layout) {
            case AddressLayout a -> "P";
            case ValueLayout.OfFloat f -> "F";
            case ValueLayout.OfDouble d -> "D";
            case ValueLayout.OfInt i -> "I4";
            case ValueLayout.OfLong l -> "I8";
            default -> layout.toString();
        };
    }
}
