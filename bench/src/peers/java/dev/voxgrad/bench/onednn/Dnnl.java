package dev.voxgrad.bench.onednn;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The part of oneDNN's C API (version 2) that a convolution needs. Structs are opaque here: they are filled by oneDNN in blocks that
 * are larger than they are.
 */
final class Dnnl {
    static final int ANY = 1; // dnnl_format_tag_t: the layout is chosen by the primitive
    static final int CPU = 1;
    static final int F32 = 3;
    static final int SRC = 1;
    static final int DST = 17;
    static final int WEIGHTS = 33;
    static final int DIFF_SRC = 129;
    static final int DIFF_DST = 145;
    static final int DIFF_WEIGHTS = 161;
    static final int QUERY_SRC = 129;
    static final int QUERY_DIFF_SRC = 130;
    static final int QUERY_WEIGHTS = 131;
    static final int QUERY_DIFF_WEIGHTS = 132;
    static final int QUERY_DST = 133;
    static final int QUERY_DIFF_DST = 134;
    static final int FORWARD_TRAINING = 64;
    static final int ALGORITHM_AUTO = 3;

    private static final String LIBRARY = "libdnnl.so.2";
    private static final int MAX_AXES = 12;
    /** dnnl_convolution_desc_t, the largest struct, has 5976 bytes in 2.6. */
    private static final long STRUCT_BYTES = 16384;

    private static final long ALLOCATE = -1; // DNNL_MEMORY_ALLOCATE
    private static final int IN_ORDER = 1;
    private static final int NHWC = 20; // acdb
    private static final int NDHWC = 21; // acdeb

    private final Linker linker = Linker.nativeLinker();
    private final SymbolLookup library = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
    private final Map<String, MethodHandle> handles = new HashMap<>();
    private final MemorySegment engine;
    private final MemorySegment stream;

    /**
     * Loads the library.
     *
     * @throws IllegalArgumentException when there is none
     */
    Dnnl() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            call("dnnl_engine_create", out, CPU, 0L);
            engine = out.get(ADDRESS, 0);
            call("dnnl_stream_create", out, engine, IN_ORDER);
            stream = out.get(ADDRESS, 0);
        }
    }

    /** Major, minor and patch. */
    String version() {
        MemorySegment v = ((MemorySegment) invoke("dnnl_version", true)).reinterpret(3 * JAVA_INT.byteSize());
        return v.getAtIndex(JAVA_INT, 0) + "." + v.getAtIndex(JAVA_INT, 1) + "." + v.getAtIndex(JAVA_INT, 2);
    }

    MemorySegment engine() {
        return engine;
    }

    /** A description of a float tensor in a layout that is a tag of oneDNN. */
    MemorySegment description(Arena arena, long[] sizes, int tag) {
        MemorySegment md = arena.allocate(STRUCT_BYTES);
        call("dnnl_memory_desc_init_by_tag", md, sizes.length, axes(arena, sizes), F32, tag);
        return md;
    }

    /** A tensor (N,C,...) whose channels are innermost in memory; weights likewise. */
    MemorySegment channelsLast(Arena arena, long[] sizes) {
        return description(arena, sizes, sizes.length == 4 ? NHWC : NDHWC);
    }

    /** dnnl_dims_t. */
    MemorySegment axes(Arena arena, long[] values) {
        MemorySegment axes = arena.allocate(JAVA_LONG, MAX_AXES);
        MemorySegment.copy(values, 0, axes, JAVA_LONG, 0, values.length);
        return axes;
    }

    /** Room for an operation's description. */
    static MemorySegment struct(Arena arena) {
        return arena.allocate(STRUCT_BYTES);
    }

    /** Creates what a function with a leading result pointer makes. */
    MemorySegment create(String function, Object... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            List<Object> all = new ArrayList<>(List.of(arena.allocate(ADDRESS)));
            all.addAll(List.of(arguments));
            call(function, all.toArray());
            return ((MemorySegment) all.getFirst()).get(ADDRESS, 0);
        }
    }

    /** Memory of its own for a tensor. */
    MemorySegment memory(MemorySegment description) {
        return create("dnnl_memory_create", description, engine, MemorySegment.ofAddress(ALLOCATE));
    }

    /** Where its values are. */
    MemorySegment data(MemorySegment memory, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            call("dnnl_memory_get_data_handle", memory, out);
            return out.get(ADDRESS, 0).reinterpret(bytes);
        }
    }

    /** The description that a primitive chose for one of its tensors. */
    MemorySegment query(MemorySegment primitive, int what) {
        return (MemorySegment) invoke("dnnl_primitive_desc_query_md", true, primitive, what, 0);
    }

    /** Arguments of an execution: pairs of what and memory. */
    static MemorySegment arguments(Arena arena, Map<Integer, MemorySegment> memories) {
        MemoryLayout pair = MemoryLayout.structLayout(JAVA_INT, MemoryLayout.paddingLayout(4), ADDRESS);
        MemorySegment arguments = arena.allocate(pair, memories.size());
        long at = 0;
        for (Map.Entry<Integer, MemorySegment> memory : memories.entrySet()) {
            arguments.set(JAVA_INT, at, memory.getKey());
            arguments.set(ADDRESS, at + ADDRESS.byteSize(), memory.getValue());
            at += pair.byteSize();
        }
        return arguments;
    }

    /** Runs a primitive to its end. */
    void execute(MemorySegment primitive, MemorySegment arguments, int count) {
        call("dnnl_primitive_execute", primitive, stream, count, arguments);
        call("dnnl_stream_wait", stream);
    }

    /** Copies between two layouts. */
    void reorder(MemorySegment fromDescription, MemorySegment from, MemorySegment toDescription, MemorySegment to) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment description = create(
                    "dnnl_reorder_primitive_desc_create",
                    fromDescription,
                    engine,
                    toDescription,
                    engine,
                    MemorySegment.NULL);
            MemorySegment primitive = create("dnnl_primitive_create", description);
            execute(primitive, arguments(arena, Map.of(SRC, from, DST, to)), 2);
            call("dnnl_primitive_destroy", primitive);
            call("dnnl_primitive_desc_destroy", description);
        }
    }

    /** Sets the threads of OpenMP, which the library of Debian uses, for the calling thread. */
    void threads(int count) {
        SymbolLookup openMp = SymbolLookup.libraryLookup("libgomp.so.1", Arena.global());
        try {
            linker.downcallHandle(openMp.find("omp_set_num_threads").orElseThrow(), FunctionDescriptor.ofVoid(JAVA_INT))
                    .invokeExact(count);
        } catch (Throwable e) {
            throw new IllegalStateException("omp_set_num_threads", e);
        }
    }

    /** Calls a function that returns a status. */
    void call(String function, Object... arguments) {
        int status = (int) invoke(function, false, arguments);
        if (status != 0) {
            throw new IllegalStateException(function + " returned dnnl_status_t " + status);
        }
    }

    private Object invoke(String function, boolean returnsAddress, Object... arguments) {
        try {
            return handles.computeIfAbsent(function, name -> handle(name, returnsAddress, arguments))
                    .invokeWithArguments(arguments);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(function, e);
        }
    }

    private MethodHandle handle(String function, boolean returnsAddress, Object... arguments) {
        MemoryLayout[] layouts = new MemoryLayout[arguments.length];
        for (int i = 0; i < layouts.length; i++) {
            layouts[i] =
                    arguments[i] instanceof Integer ? JAVA_INT : arguments[i] instanceof Long ? JAVA_LONG : ADDRESS;
        }
        return linker.downcallHandle(
                library.find(function).orElseThrow(),
                FunctionDescriptor.of(returnsAddress ? ADDRESS : JAVA_INT, layouts));
    }
}
