package dev.voxgrad.bindings;

/** The status codes of {@code vg_status}, in the order of their numbers. */
public enum NativeStatus {
    OK,
    INVALID_ARGUMENT,
    OUT_OF_MEMORY,
    DEVICE_FAILURE,
    UNAVAILABLE,
    UNSUPPORTED,
    INTERNAL;

    /** The status of a number; an unknown one is {@link #INTERNAL}. */
    public static NativeStatus of(int code) {
        return code >= 0 && code < values().length ? values()[code] : INTERNAL;
    }
}
