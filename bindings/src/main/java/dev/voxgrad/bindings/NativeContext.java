package dev.voxgrad.bindings;

import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_context_info;
import dev.voxgrad.bindings.ffi.vg_context_options;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An open native context: device, memory pool and error text. One thread at a time may use it; closing it frees all its
 * memory and is idempotent.
 */
public final class NativeContext implements AutoCloseable {
    private static final int TEXT_BYTES = 1024;
    private static final Watcher NOBODY = new Watcher() {
        @Override
        public void begins() {}

        @Override
        public void ends() {}
    };

    private MemorySegment handle;
    private Watcher watcher = NOBODY;

    /** Hears of every call of a kernel, on the thread of the call. Memory and questions to the context are not kernels. */
    public interface Watcher {
        /** The arguments are being put together: {@link NativeContext#handle} was asked for. */
        void begins();

        /** The call has returned; on a GPU its work may go on. */
        void ends();
    }

    private NativeContext(MemorySegment handle) {
        this.handle = handle;
    }

    /**
     * Opens a context.
     *
     * @param deviceKind {@code VG_DEVICE_CPU} or {@code VG_DEVICE_CUDA}
     * @param deviceIndex 0-based
     * @param threads CPU threads, 0 = all
     * @param memoryLimitBytes limit of the pool, 0 = none
     * @throws NativeException with the native text when the device cannot be opened
     */
    public static NativeContext open(int deviceKind, int deviceIndex, int threads, long memoryLimitBytes) {
        return open(deviceKind, deviceIndex, threads, memoryLimitBytes, false);
    }

    /**
     * Opens a CPU context on which kernels check and ask for memory but compute nothing: it costs no time and no memory to run a step
     * there and read what a real one would need.
     *
     * @param threads CPU threads of the real one, 0 = all
     */
    public static NativeContext measuring(int threads) {
        return open(VoxgradH.VG_DEVICE_CPU(), 0, threads, 0, true);
    }

    private static NativeContext open(
            int deviceKind, int deviceIndex, int threads, long memoryLimitBytes, boolean measure) {
        NativeLibrary.load();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment options = vg_context_options.allocate(arena);
            options.fill((byte) 0);
            vg_context_options.size(options, vg_context_options.sizeof());
            vg_context_options.device_kind(options, deviceKind);
            vg_context_options.device_index(options, deviceIndex);
            vg_context_options.threads(options, threads);
            vg_context_options.measure(options, measure ? 1 : 0);
            vg_context_options.memory_limit_bytes(options, memoryLimitBytes);
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            MemorySegment text = arena.allocate(TEXT_BYTES);
            int status = VoxgradH.vg_context_create(options, out, text, TEXT_BYTES);
            if (status != VoxgradH.VG_OK()) {
                throw new NativeException(NativeStatus.of(status), text.getString(0));
            }
            return new NativeContext(out.get(ValueLayout.ADDRESS, 0));
        }
    }

    /** The pointer to pass as first argument of every native call. */
    public MemorySegment handle() {
        watcher.begins();
        return open();
    }

    private MemorySegment open() {
        if (handle == null) {
            throw new IllegalStateException("this device is closed");
        }
        return handle;
    }

    /** Turns a status into an exception with the context's text; returns normally for {@code VG_OK}. */
    public void check(int status) {
        watcher.ends();
        require(status);
    }

    private void require(int status) {
        if (status != VoxgradH.VG_OK()) {
            throw new NativeException(
                    NativeStatus.of(status), VoxgradH.vg_last_error(open()).getString(0));
        }
    }

    /** Lets somebody watch from now on; there is one watcher at most. */
    public void watch(Watcher next) {
        watcher = next;
    }

    /** Ends the watching. */
    public void unwatch() {
        watcher = NOBODY;
    }

    /** Waits until the device has done everything it was asked for; nothing to wait for on the CPU. */
    public void synchronize() {
        require(VoxgradH.vg_context_synchronize(open()));
    }

    /**
     * Allocates device memory from the pool.
     *
     * @param bytes size, also the size of the returned segment
     */
    public MemorySegment allocate(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            require(VoxgradH.vg_allocate(open(), bytes, out));
            return out.get(ValueLayout.ADDRESS, 0).reinterpret(bytes);
        }
    }

    /** Returns memory to the pool; a no-op after the context was closed, which freed it. */
    public void free(MemorySegment memory) {
        if (handle != null) {
            require(VoxgradH.vg_free(handle, memory));
        }
    }

    /**
     * Begins a step: work that is repeated with the same requests for memory, which then come from one planned block.
     *
     * @param kind steps of one kind ask for the same
     */
    public void beginStep(long kind) {
        require(VoxgradH.vg_step_begin(open(), kind));
    }

    /** Ends the step; a no-op after the context was closed. */
    public void endStep() {
        if (handle != null) {
            require(VoxgradH.vg_step_end(handle));
        }
    }

    /** Sizes, names and memory use of the context at this moment. */
    public Description describe() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = vg_context_info.allocate(arena);
            info.fill((byte) 0);
            vg_context_info.size(info, vg_context_info.sizeof());
            require(VoxgradH.vg_context_describe(open(), info));
            return new Description(
                    vg_context_info.device_name(info).getString(0),
                    vg_context_info.isa(info).getString(0),
                    vg_context_info.driver(info).getString(0),
                    vg_context_info.threads(info),
                    vg_context_info.compute_capability(info),
                    vg_context_info.memory_total_bytes(info),
                    vg_context_info.memory_free_bytes(info),
                    vg_context_info.pool_live_bytes(info),
                    vg_context_info.pool_live_blocks(info),
                    vg_context_info.pool_reserved_bytes(info),
                    vg_context_info.pool_peak_bytes(info),
                    vg_context_info.arena_bytes(info),
                    vg_context_info.system_allocations(info));
        }
    }

    /** What {@code vg_context_describe} reports; see the header for the fields. */
    public record Description(
            String deviceName,
            String isa,
            String driver,
            int threads,
            int computeCapability,
            long memoryTotalBytes,
            long memoryFreeBytes,
            long poolLiveBytes,
            long poolLiveBlocks,
            long poolReservedBytes,
            long poolPeakBytes,
            long arenaBytes,
            long systemAllocations) {}

    /** Number of devices of a kind, and why there is none. */
    public static DeviceCount count(int deviceKind) {
        NativeLibrary.load();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment text = arena.allocate(TEXT_BYTES);
            int status = VoxgradH.vg_device_count(deviceKind, count, text, TEXT_BYTES);
            if (status != VoxgradH.VG_OK()) {
                throw new NativeException(NativeStatus.of(status), "vg_device_count: " + text.getString(0));
            }
            return new DeviceCount(count.get(ValueLayout.JAVA_INT, 0), text.getString(0));
        }
    }

    /** {@code reason} is empty unless {@code count} is 0. */
    public record DeviceCount(int count, String reason) {}

    @Override
    public void close() {
        if (handle != null) {
            VoxgradH.vg_context_destroy(handle);
            handle = null;
        }
    }
}
