package dev.voxgrad.engine;

/** Sizes of tensors do not fit each other or an operation; the message says what, where and how to fix it. */
public final class ShapeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With the text for the user. */
    public ShapeException(String message) {
        super(message);
    }

    /** With the text for the user and the exception behind it. */
    public ShapeException(String message, Throwable cause) {
        super(message, cause);
    }
}
