package dev.voxgrad.bindings;

/** A native call failed; the message is the native text: what, where and how to fix. */
public final class NativeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final NativeStatus status;

    /** A failure with its status and text. */
    public NativeException(NativeStatus status, String message) {
        super(message);
        this.status = status;
    }

    /** The kind of failure. */
    public NativeStatus status() {
        return status;
    }
}
